"""Small pieces of what the bot says: errors as sentences, lists, how long something takes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import Refusal
from bot.words import known_language, say

ENDS = tuple(".!?…:。！？：`")
PAIRS = {")": "(", "）": "（", "”": "“", "’": "‘", '"': '"', "'": "'", "」": "「", "』": "『"}
CLOSERS = "".join(PAIRS)  # a sentence may have ended before them; they alone do not end it


def as_sentence(words: str, language: str | None) -> str:
    """With a capital and a full stop: errors are kept without, to follow a colon."""
    if not is_ended(words):
        words += "。" if known_language(language) == "zh" else "."
    return words[:1].upper() + words[1:]


def is_ended(words: str) -> bool:
    """Whether nothing needs to follow: an end, also inside of quotes, or a ";)"."""
    inner = words.rstrip(CLOSERS)
    if len(inner) < len(words) and PAIRS[words[-1]] not in inner:
        return True
    return inner.endswith(ENDS)


def error_words(error: Exception, language: str | None) -> str:
    """What a person reads of something they did wrong."""
    words = error.say(language) if isinstance(error, Refusal) else str(error)
    return as_sentence(words, language)


def duration(language: str | None, seconds: float) -> str:
    """About how long: "less than a minute", "3 minutes", "2 hours"."""
    minutes = round(seconds / 60)
    if seconds < 50:
        return say(language, "time.seconds", count=max(10, 10 * round(seconds / 10)))
    if minutes < 90:
        return say(language, "time.minutes", count=max(1, minutes))
    return say(language, "time.hours", count=round(minutes / 60))


def listed(language: str | None, words: Sequence[str]) -> str:
    """The words with the commas of the language."""
    return say(language, "words.comma").join(words)


def cut(words: str, limit: int) -> str:
    """At most `limit` characters, the end made "…"."""
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"
