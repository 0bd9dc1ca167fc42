-- A community's life: what else the managers of a server decide, stars, the gallery, remixes.
-- All times are seconds since 1970.

ALTER TABLE servers DROP COLUMN strict;  -- nothing ever read it
ALTER TABLE servers ADD COLUMN roles TEXT NOT NULL DEFAULT '[]';  -- a JSON list; empty: all
ALTER TABLE servers ADD COLUMN blocked_words TEXT NOT NULL DEFAULT '[]';  -- a JSON list
ALTER TABLE servers ADD COLUMN gallery TEXT;  -- JSON of chat.Place; NULL: none
ALTER TABLE servers ADD COLUMN stars INTEGER NOT NULL DEFAULT 3 CHECK (stars > 0);

-- A page posted on a server, from its first star on. Its job has no foreign key: the ledger
-- forgets jobs, and the post stays. Without a story it is to be taken out of the gallery, and goes.
CREATE TABLE exhibits (
    job INTEGER PRIMARY KEY,
    story TEXT REFERENCES stories (id) ON DELETE SET NULL,
    server TEXT NOT NULL,
    place TEXT NOT NULL,                   -- JSON of chat.Place, where the page was posted
    language TEXT NOT NULL,
    message TEXT,                          -- the platform's id of the post; '': it is gone
    shown INTEGER NOT NULL DEFAULT 0,      -- the count that stands under it
    copy_place TEXT,                       -- JSON of chat.Place in the gallery
    copy_nonce TEXT UNIQUE,                -- set before the copy is sent: there is one, ever
    copy_message TEXT,                     -- set when it was sent; '': it is gone
    copy_shown INTEGER NOT NULL DEFAULT 0,
    changes INTEGER NOT NULL DEFAULT 0,    -- everything that may make another look necessary
    seen INTEGER NOT NULL DEFAULT 0        -- how many changes the posts show already
) STRICT;
CREATE INDEX exhibits_to_show ON exhibits (job) WHERE changes <> seen;
CREATE INDEX exhibits_of_story ON exhibits (story);
CREATE INDEX exhibits_of_server ON exhibits (server);

CREATE TABLE stars (
    job INTEGER NOT NULL REFERENCES exhibits (job) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    PRIMARY KEY (job, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX stars_of_person ON stars (person);

-- Stars and stories also go by cascades, when a person is forgotten: only triggers see all of it.
CREATE TRIGGER star_given AFTER INSERT ON stars BEGIN
    UPDATE exhibits SET changes = changes + 1 WHERE job = new.job;
END;
CREATE TRIGGER star_taken_back AFTER DELETE ON stars BEGIN
    UPDATE exhibits SET changes = changes + 1 WHERE job = old.job;
END;
CREATE TRIGGER story_of_exhibit_gone AFTER UPDATE OF story ON exhibits WHEN new.story IS NULL BEGIN
    UPDATE exhibits SET changes = changes + 1 WHERE job = new.job;
END;

-- A story that began as a copy of another one.
CREATE TABLE remixes (
    story TEXT PRIMARY KEY REFERENCES stories (id) ON DELETE CASCADE,
    parent TEXT REFERENCES stories (id) ON DELETE SET NULL  -- NULL: it was deleted
) STRICT, WITHOUT ROWID;
CREATE INDEX remixes_of_parent ON remixes (parent);
