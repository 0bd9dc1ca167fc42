-- What the engine remarked while it drew a job, in the job's language: said with its page.
CREATE TABLE job_notes (
    number INTEGER PRIMARY KEY,            -- in the order they came
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    words TEXT NOT NULL,
    UNIQUE (job, words)                    -- a second attempt may remark the same
) STRICT;
