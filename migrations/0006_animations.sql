-- Animations: jobs of a new kind, the pictures that these start from, and what came of them.

-- SQLite cannot change a check, but it can drop a column together with its own.
ALTER TABLE jobs ADD COLUMN wanted TEXT NOT NULL DEFAULT 'draw' CHECK (
    wanted IN ('draw', 'redraw', 'sheet', 'meme-draw', 'animate')
);
UPDATE jobs SET wanted = kind;
ALTER TABLE jobs DROP COLUMN kind;
ALTER TABLE jobs RENAME COLUMN wanted TO kind;

-- Pictures that a job needs as they were when it was queued, whatever its story has by now.
CREATE TABLE job_sources (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    picture TEXT NOT NULL REFERENCES pictures (sha),
    PRIMARY KEY (job, picture)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_sources_of_picture ON job_sources (picture);

-- Finished animations of a story: a file, or one for each page.
CREATE TABLE animations (
    story TEXT NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- from 1
    kind TEXT NOT NULL CHECK (kind IN ('gif', 'mp4', 'webp')),
    sha TEXT NOT NULL REFERENCES pictures (sha),
    PRIMARY KEY (story, job, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX animations_of_picture ON animations (sha);
