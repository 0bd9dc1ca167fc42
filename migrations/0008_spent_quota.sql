-- What people who were forgotten had drawn on that day, so that being forgotten does not begin the
-- day anew, for them or for a server. It says how much, and not of whom; it goes with the day.
-- All times are seconds since 1970, UTC.

CREATE TABLE spent_days (
    day REAL PRIMARY KEY,                              -- when it began
    key BLOB NOT NULL DEFAULT (randomblob(32))         -- without it nobody finds anybody in `who`
) STRICT, WITHOUT ROWID;

CREATE TABLE spent (
    day REAL NOT NULL REFERENCES spent_days (day) ON DELETE CASCADE,
    who TEXT NOT NULL,                                 -- the person's key, hashed with the day's
    server TEXT,
    panels INTEGER NOT NULL,
    jobs INTEGER NOT NULL
) STRICT;
CREATE INDEX spent_of_day ON spent (day, who, server, panels, jobs);
