-- What people have deleted for ever, by id. Should the bot be killed before the chat has heard of it,
-- a second press of the button is answered in the same way, and the chat takes away what it shows.
CREATE TABLE deleted (
    id TEXT PRIMARY KEY,  -- of a story or a character
    owner TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_of_owner ON deleted (owner);
