-- Rooms whose story was deleted: who types there is told so, and begins no other story by accident.
CREATE TABLE left_rooms (
    room TEXT NOT NULL,  -- as stories.room
    owner TEXT NOT NULL REFERENCES people (key) ON DELETE CASCADE,
    PRIMARY KEY (room, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX left_rooms_of_owner ON left_rooms (owner);
