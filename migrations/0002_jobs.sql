-- The ledger: what people asked to be drawn, and how far it has come (bot/jobs.py).
-- All times are seconds since 1970, UTC.

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- people read it; a number never means a second job
    person TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    place TEXT NOT NULL,                   -- JSON of chat.Place
    server TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('draw', 'redraw', 'sheet', 'meme-draw')),
    story TEXT,                            -- no foreign key: it may be deleted meanwhile
    panels INTEGER NOT NULL CHECK (panels > 0),  -- its weight, in pictures
    language TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (
        state IN ('waiting', 'drawing', 'drawn', 'delivered', 'failed', 'cancelled')
    ),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,                           -- JSON of jobs.Reason: why it failed, or last had to wait
    seconds REAL,                          -- how long the drawing took
    created REAL NOT NULL,
    started REAL,                          -- when it was last taken up; NULL: never, or given back
    not_before REAL NOT NULL DEFAULT 0,
    message TEXT,                          -- the platform's id of the progress post
    charged INTEGER NOT NULL DEFAULT 1,    -- whether it counts against the day's quota
    told INTEGER NOT NULL DEFAULT 0,       -- whether the person has heard how it ended
    pace TEXT NOT NULL,                    -- model/steps/size: jobs of one pace take equally long
    about TEXT NOT NULL,                   -- JSON, the worker's own
    request TEXT NOT NULL                  -- JSON of DrawRequest; last, as it may be large
) STRICT;

-- The order of the queue is read from these alone, never from the rows with their requests; so
-- they hold the state too, although it is the same in all their rows.
CREATE INDEX jobs_waiting ON jobs (person, id, not_before, panels, pace, state)
    WHERE state = 'waiting';
CREATE INDEX jobs_drawing ON jobs (state, person, id, started, panels, pace, not_before)
    WHERE state = 'drawing';
CREATE INDEX jobs_started ON jobs (person, started) WHERE started IS NOT NULL;

CREATE INDEX jobs_of_person ON jobs (person, created, panels, charged);
CREATE INDEX jobs_of_server ON jobs (server, created, charged) WHERE server IS NOT NULL;
CREATE INDEX jobs_of_story ON jobs (story, state) WHERE story IS NOT NULL;
CREATE INDEX jobs_untold ON jobs (state) WHERE told = 0;

-- Pictures of a job as they arrived from the engine, so that a restart need not draw them again.
CREATE TABLE job_pictures (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    panel INTEGER NOT NULL,                -- from 0
    picture TEXT NOT NULL REFERENCES pictures (sha),
    PRIMARY KEY (job, panel)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_pictures_of_picture ON job_pictures (picture);

-- How long a panel took, the newest of every pace; nothing about whose it was.
CREATE TABLE measured_paces (
    id INTEGER PRIMARY KEY,
    pace TEXT NOT NULL,
    seconds REAL NOT NULL
) STRICT;

-- A post is marked before it is sent and again when the platform has confirmed it.
CREATE TABLE posts (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,                 -- "page 1", "reason" …: one post a job and purpose
    nonce TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'sending' CHECK (state IN ('sending', 'sent')),
    message TEXT,                          -- the platform's id, once it is sent
    PRIMARY KEY (job, purpose)
) STRICT, WITHOUT ROWID;
