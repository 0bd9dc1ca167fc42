-- Pictures that characters look like: how firmly each leads, and what is said before the first one.

ALTER TABLE characters ADD COLUMN strength INTEGER NOT NULL DEFAULT 50 CHECK (  -- percent
    strength BETWEEN 0 AND 100
);

-- What a person has been told, of what is said only once.
CREATE TABLE told (
    person TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    what TEXT NOT NULL,  -- a key of the catalogues
    PRIMARY KEY (person, what)
) STRICT, WITHOUT ROWID;
