"""What Telegram's refusals mean for a post."""

from __future__ import annotations

from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.chat import CannotPost, Place

TOKEN_WAIT_SECONDS = 300.0  # until the operator has put in another token
NOT_SENT = (  # of aiohttp: nothing left us
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "ClientConnectorCertificateError",
    "ClientConnectorSSLError",
    "ConnectionTimeoutError",
)
GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
NO_TOPIC = ("thread not found", "topic_deleted", "topic_closed", "topic_id_invalid")
NOT_A_PHOTO = ("photo_invalid_dimensions", "image_process_failed", "photo_save_file_invalid")
TOO_LARGE = "request entity too large"


class TopicGone(CannotPost):
    """The topic that was to hold a post is deleted, or closed to us."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"Telegram: the topic of {place.key} is gone")
        self.place = place


def cannot_post(error: TelegramError) -> CannotPost:
    """Whether to try again, when, and whether it may have arrived all the same."""
    why = f"Telegram: {error.message}"
    if isinstance(error, RetryAfter):
        return CannotPost(why, again=True, wait=seconds_of(error))
    if isinstance(error, InvalidToken | Conflict):
        return CannotPost("Telegram refuses our token", again=True, wait=TOKEN_WAIT_SECONDS)
    if isinstance(error, Forbidden | BadRequest) or TOO_LARGE in error.message.lower():
        return CannotPost(why)
    if type(error.__cause__).__name__ in NOT_SENT:
        return CannotPost(why, again=True)
    return CannotPost(why, unknown=isinstance(error, NetworkError | TimedOut))


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram wants us to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


def says(error: TelegramError, *words: str) -> bool:
    """Whether it is a refusal of the request in one of these words."""
    return isinstance(error, BadRequest) and any(word in error.message.lower() for word in words)


def is_same(error: TelegramError) -> bool:
    """An edit that would change nothing."""
    return says(error, "message is not modified")


def is_gone(error: TelegramError) -> bool:
    """An edit of a message that is no longer there, or too old."""
    return says(error, *GONE)
