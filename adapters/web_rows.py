"""Rooms, messages and files as rows: what is written in one transaction, and told as JSON."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters import web_words
from adapters.web_files import put_files
from adapters.web_storage import Batch, Event
from bot.chat import Button, File

LOOKS = ("label", "data", "look")  # of a button, as pages are told
LONGEST_TITLE = 120  # characters of a room's title

Json = dict[str, Any]


@dataclass(frozen=True)
class Room:
    """One of a person's rooms; the home room has the person's own id."""

    id: str
    owner: str

    @property
    def is_home(self) -> bool:
        return self.id == self.owner


@dataclass(frozen=True)
class Said:
    """What a person says. `nonce` tells a second try from a second saying."""

    text: str
    nonce: str
    attached: Sequence[str] = ()


@dataclass(frozen=True)
class Shown:
    """What the bot shows. `edit` is the id of an earlier message to change instead.

    With a `title` an answer is shown in a room of its own under this title. `heading` is the title
    of the card by now, which its room goes by. `about` are the cards of what it shows.
    """

    text: str = ""
    files: Sequence[File] = ()
    buttons: Sequence[Sequence[Button]] = ()
    progress: float | None = None
    card: str | None = None
    nonce: str | None = None
    edit: str | None = None
    opens: str | None = None  # a room
    title: str | None = None
    heading: str | None = None
    about: Sequence[str] = ()


def say(batch: Batch, room: Room, said: Said) -> tuple[int, str]:
    before = batch.row(
        "SELECT id, answered FROM messages WHERE owner = ? AND mine = 1 AND nonce = ?",
        room.owner,
        said.nonce,
    )
    if before:
        return before["id"], "answered" if before["answered"] else "unanswered"
    need_room(batch, room)
    message = batch.connection.execute(
        "INSERT INTO messages (room, owner, seq, at, mine, text, attached, nonce, answered)"
        " VALUES (?, ?, ?, ?, 1, ?, ?, ?, 0)",
        (room.id, room.owner, batch.changed(), time.time(), said.text,
         json.dumps(list(said.attached)), said.nonce),
    ).lastrowid  # fmt: skip
    assert message is not None
    tell(batch, message)
    return message, "new"


def answer(batch: Batch, room: Room, shown: Shown) -> Room:
    """Shows an answer to what was said in a room; where it stands then."""
    place = room
    if shown.title is not None:
        place = open_room(batch, room.owner, shown.title, shown.card)
        if place != room:
            show(batch, room, Shown(shown.title, opens=place.id))
    if shown.text or shown.files or shown.buttons:
        show(batch, place, shown)
    opened = room_of_card(batch, room.owner, shown.card) if shown.heading is not None else None
    if opened is not None:
        put_room(batch, opened, short_title(shown.heading or ""))
    return place


def open_room(batch: Batch, owner: str, title: str, card: str | None) -> Room:
    """A room of its own; the one that already has this card, where there is one."""
    room = room_of_card(batch, owner, card) or Room(secrets.token_hex(8), owner)
    put_room(batch, room, short_title(title))
    return room


def room_of_card(batch: Batch, owner: str, card: str | None) -> Room | None:
    """The room that was opened for a card: it stands there before any other."""
    found = batch.row(
        "SELECT room FROM messages AS head WHERE owner = ? AND card = ? AND room != owner AND id ="
        " (SELECT min(id) FROM messages WHERE room = head.room AND card IS NOT NULL)"
        " ORDER BY id DESC LIMIT 1",
        owner,
        card,
    )
    return Room(found["room"], owner) if found else None


def short_title(title: str) -> str:
    return title.strip()[:LONGEST_TITLE].strip()


def show(batch: Batch, room: Room, shown: Shown) -> int:
    room = need_room(batch, room)
    message = earlier(batch, room, shown)
    if message is None:
        if shown.nonce and (
            before := batch.row(
                "SELECT id FROM messages WHERE owner = ? AND mine = 0 AND nonce = ?",
                room.owner,
                shown.nonce,
            )
        ):
            return int(before["id"])
        message = batch.connection.execute(
            "INSERT INTO messages (room, owner, seq, at, mine, text, card, nonce)"
            " VALUES (?, ?, 0, ?, 0, '', ?, ?)",
            (room.id, room.owner, time.time(), shown.card, shown.nonce or None),
        ).lastrowid
        assert message is not None
    shown = noted(batch, room.owner, message, shown)
    before = batch.row("SELECT progress FROM messages WHERE id = ?", message)
    was_drawing = before is not None and before["progress"] is not None
    batch.connection.execute(
        "UPDATE messages SET seq = ?, text = ?, buttons = ?, progress = ?, opens = ? WHERE id = ?",
        (
            batch.changed(),
            shown.text,
            buttons_json(shown.buttons),
            shown.progress,
            shown.opens,
            message,
        ),
    )
    put_files(batch, message, shown.files, keep_last=was_drawing)
    tell(batch, message)
    return message


def buttons_json(rows: Sequence[Sequence[Button]]) -> str:
    return json.dumps([[{key: getattr(one, key) for key in LOOKS} for one in row] for row in rows])


def noted(batch: Batch, owner: str, message: int, shown: Shown) -> Shown:
    """Notes what a message shows, by its card; what was deleted meanwhile is shown no more."""
    cards = {*shown.about, *filter(None, [shown.card])}
    batch.connection.executemany(
        "INSERT OR IGNORE INTO about VALUES (?, ?)", [(card, message) for card in cards]
    )
    late = batch.row(
        "SELECT 1 FROM about JOIN deleted_cards USING (card) WHERE message = ?", message
    )
    if late is None:
        return shown
    text = deleted_words(batch, owner) if shown.files else shown.text
    return replace(shown, text=text, files=(), buttons=())


def deleted_words(batch: Batch, owner: str) -> str:
    """What stands where something deleted stood, in the language of who reads it."""
    row = batch.row("SELECT language FROM people WHERE id = ?", owner)
    return web_words.say(row["language"] if row else None, "deleted")


def set_buttons(
    batch: Batch, owner: str, message: int, buttons: Sequence[Sequence[Button]]
) -> bool:
    """Other buttons under a message of the bot; whether it is still there."""
    changed = batch.connection.execute(
        "UPDATE messages SET buttons = ?, seq = ? WHERE id = ? AND owner = ? AND mine = 0"
        " AND NOT gone",
        (buttons_json(buttons), batch.changed(), message, owner),
    )
    if changed.rowcount:
        tell(batch, message)
    return bool(changed.rowcount)


def earlier(batch: Batch, room: Room, shown: Shown) -> int | None:
    """The message to change instead of making one: the card of this name, or the one to edit."""
    found = None
    if shown.edit is not None and shown.edit.isdecimal():
        found = batch.row(
            "SELECT id FROM messages WHERE id = ? AND owner = ? AND mine = 0 AND NOT gone",
            int(shown.edit),
            room.owner,
        )
    if found is None and shown.card is not None:
        found = batch.row(
            "SELECT id FROM messages WHERE room = ? AND card = ?", room.id, shown.card
        )
    return int(found["id"]) if found else None


def remove(batch: Batch, owner: str, message: int) -> None:
    """Empties a message of the bot. Its nonce stays, or a late second try would show it again."""
    found = batch.row(
        "SELECT 1 FROM messages WHERE id = ? AND owner = ? AND mine = 0 AND NOT gone",
        message,
        owner,
    )
    if found is None:
        return
    put_files(batch, message, (), keep_last=False)
    batch.connection.execute(
        "UPDATE messages SET gone = 1, seq = ?, text = '', buttons = '[]', progress = NULL,"
        " opens = NULL, card = NULL WHERE id = ?",
        (batch.changed(), message),
    )
    tell(batch, message)


def need_room(batch: Batch, room: Room) -> Room:
    """The room, or the home room where the person has done away with it."""
    row = batch.row("SELECT gone FROM rooms WHERE id = ? AND owner = ?", room.id, room.owner)
    if row is not None and not row["gone"]:
        return room
    home = Room(room.owner, room.owner)
    if not room.is_home:
        return need_room(batch, home)
    put_room(batch, home, "")
    return home


def put_room(batch: Batch, room: Room, title: str) -> None:
    before = batch.row("SELECT title, gone FROM rooms WHERE id = ?", room.id)
    if before is not None and not before["gone"] and before["title"] == title:
        return
    batch.connection.execute(
        "INSERT INTO rooms (id, owner, title, seq) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET title = excluded.title, seq = excluded.seq, gone = 0",
        (room.id, room.owner, title, batch.changed()),
    )
    batch.events.append(room_event(batch.row("SELECT * FROM rooms WHERE id = ?", room.id)))


def tell(batch: Batch, message: int) -> None:
    row = batch.row("SELECT * FROM messages WHERE id = ?", message)
    assert row is not None
    batch.events.append(message_event(batch.connection, row))


def message_event(connection: sqlite3.Connection, row: sqlite3.Row) -> Event:
    event: Json
    if row["gone"]:
        event = {"type": "gone", "seq": row["seq"], "room": row["room"], "id": row["id"]}
    else:
        event = {"type": "message", "seq": row["seq"], "message": message_json(connection, row)}
    return Event(row["owner"], row["seq"], json.dumps(event, ensure_ascii=False))


def room_event(row: Any) -> Event:
    event = {"type": "room", "seq": row["seq"], "room": room_json(row)}
    return Event(row["owner"], row["seq"], json.dumps(event, ensure_ascii=False))


def room_json(row: Any) -> Json:
    return {
        "id": row["id"],
        "title": row["title"],
        "home": row["id"] == row["owner"],
        "gone": bool(row["gone"]),
    }


def message_json(connection: sqlite3.Connection, row: sqlite3.Row) -> Json:
    files = connection.execute(
        "SELECT * FROM files WHERE message = ? AND position >= 0 ORDER BY position", (row["id"],)
    ).fetchall()
    return {
        "id": row["id"],
        "room": row["room"],
        "seq": row["seq"],
        "at": row["at"],
        "mine": bool(row["mine"]),
        "text": row["text"],
        "attached": json.loads(row["attached"]),
        "files": [file_json(file) for file in files],
        "buttons": json.loads(row["buttons"]),
        "progress": row["progress"],
        "opens": row["opens"],
        "card": row["card"] is not None,
        "nonce": row["nonce"] if row["mine"] else None,
    }


def file_json(row: sqlite3.Row) -> Json:
    picture = File(row["name"], b"").is_picture
    return {key: row[key] for key in ("token", "name", "alt", "width", "height", "bytes")} | {
        "picture": picture
    }
