-- People, servers, pictures, characters and stories.
--
-- Times are seconds since 1970. A row that needs a picture says so with a foreign key to
-- pictures (sha): what no such key points to is swept away. What belongs to a person goes with the
-- person's row, so every table of that kind has a foreign key that cascades.

CREATE TABLE people (
    key TEXT PRIMARY KEY,  -- as chat.Person has it
    name TEXT NOT NULL,
    language TEXT,  -- as chosen by the person; NULL: as the chat says
    created REAL NOT NULL
) STRICT;

CREATE TABLE servers (
    key TEXT PRIMARY KEY,
    who TEXT NOT NULL CHECK (who IN ('everyone', 'managers')),
    channels TEXT NOT NULL,  -- a JSON list; empty: all
    daily_cap INTEGER CHECK (daily_cap >= 0),  -- pages a day on this server
    waiting_cap INTEGER CHECK (waiting_cap >= 0),  -- waiting jobs a person
    style TEXT,
    strict INTEGER NOT NULL CHECK (strict IN (0, 1))
) STRICT;

-- No foreign key to people: whoever is blocked cannot get rid of that by being forgotten.
CREATE TABLE blocks (
    server TEXT NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (server, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE pictures (
    sha TEXT PRIMARY KEY,  -- SHA-256 in hexadecimal, and the file's name
    added REAL NOT NULL  -- the last time that somebody added it
) STRICT;

CREATE TABLE characters (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    same_name TEXT NOT NULL,  -- what all spellings of the name have in common
    description TEXT NOT NULL,
    seed INTEGER NOT NULL,
    reference TEXT REFERENCES pictures (sha),  -- uploaded
    sheet TEXT REFERENCES pictures (sha),  -- drawn
    created REAL NOT NULL,
    UNIQUE (owner, same_name)
) STRICT;
CREATE INDEX characters_by_name ON characters (same_name);
CREATE INDEX characters_by_reference ON characters (reference);
CREATE INDEX characters_by_sheet ON characters (sheet);

CREATE TABLE character_shares (
    character TEXT NOT NULL REFERENCES characters (id) ON DELETE CASCADE,
    audience TEXT NOT NULL,  -- "everyone" or "server:KEY"
    PRIMARY KEY (character, audience)
) STRICT, WITHOUT ROWID;
CREATE INDEX character_shares_by_audience ON character_shares (audience);

CREATE TABLE stories (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    title TEXT NOT NULL,
    style TEXT NOT NULL,
    layout TEXT NOT NULL,
    seed INTEGER NOT NULL,
    room TEXT,  -- the place where plain messages are lines of this story
    entered REAL,  -- when it got that room: of several stories the newest has it
    parent TEXT REFERENCES stories (id) ON DELETE SET NULL,
    created REAL NOT NULL,
    changed REAL NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX stories_by_owner ON stories (owner, changed);
CREATE INDEX stories_by_room ON stories (room, entered);
CREATE INDEX stories_by_parent ON stories (parent);

CREATE TABLE story_shares (
    story TEXT NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
    audience TEXT NOT NULL,
    PRIMARY KEY (story, audience)
) STRICT, WITHOUT ROWID;

CREATE TABLE cast_members (
    story TEXT NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    character TEXT REFERENCES characters (id) ON DELETE SET NULL,
    reference TEXT REFERENCES pictures (sha),
    PRIMARY KEY (story, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX cast_members_by_character ON cast_members (character);
CREATE INDEX cast_members_by_reference ON cast_members (reference);

CREATE TABLE panels (
    story TEXT NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    text TEXT NOT NULL,
    caption TEXT,
    kind TEXT CHECK (kind IN ('box', 'speech', 'thought')),
    speaker TEXT,
    characters TEXT NOT NULL,  -- a JSON list of names
    seed INTEGER,
    picture TEXT REFERENCES pictures (sha),
    PRIMARY KEY (story, position),
    UNIQUE (story, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX panels_by_picture ON panels (picture);

-- What a story was before each of its last changes, to undo them.
CREATE TABLE steps (
    story TEXT NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,  -- the version that the story had
    content TEXT NOT NULL,  -- JSON
    PRIMARY KEY (story, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE step_pictures (
    story TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha TEXT NOT NULL REFERENCES pictures (sha),
    PRIMARY KEY (story, number, sha),
    FOREIGN KEY (story, number) REFERENCES steps (story, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX step_pictures_by_sha ON step_pictures (sha);

-- Finished, lettered pages; of several drawings the latest job's are the story's pages.
CREATE TABLE pages (
    story TEXT NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sha TEXT NOT NULL REFERENCES pictures (sha),
    PRIMARY KEY (story, job, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX pages_by_sha ON pages (sha);
