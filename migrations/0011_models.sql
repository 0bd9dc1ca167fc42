-- Which model draws a story, and how finely; empty: as whoever runs the bot has set it.

ALTER TABLE stories ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE stories ADD COLUMN quality TEXT NOT NULL DEFAULT '';  -- "draft", "normal" or "fine"
