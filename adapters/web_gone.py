"""Stories and characters that are deleted: nothing of them stays in what people were shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

from adapters.web_files import drop_unused_blobs
from adapters.web_rows import deleted_words, tell
from adapters.web_storage import Batch

ABOUT = """
SELECT DISTINCT id, owner, messages.card, text, EXISTS (
    SELECT 1 FROM files WHERE message = id
) AS has_files FROM messages JOIN about ON message = id
WHERE NOT gone AND about.card IN (SELECT value FROM json_each(?)) ORDER BY id
"""


def erase(batch: Batch, cards: Sequence[str], last_words: str) -> None:
    """Takes files and buttons from all messages about what these cards name, in all rooms.

    The cards say `last_words` then. What comes late for one of them finds its card deleted.
    """
    batch.connection.executemany(
        "INSERT OR IGNORE INTO deleted_cards VALUES (?)", [(card,) for card in cards]
    )
    for row in batch.connection.execute(ABOUT, (json.dumps(list(cards)),)).fetchall():
        text = row["text"]
        if row["card"] in cards:
            text = last_words
        elif row["has_files"]:
            text = deleted_words(batch, row["owner"])
        batch.connection.execute("DELETE FROM files WHERE message = ?", (row["id"],))
        batch.connection.execute(
            "UPDATE messages SET text = ?, buttons = '[]', progress = NULL, seq = ? WHERE id = ?",
            (text, batch.changed(), row["id"]),
        )
        tell(batch, row["id"])
    drop_unused_blobs(batch)
