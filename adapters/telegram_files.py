"""In which way a file goes to Telegram, and how a person's picture comes from there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import telegram
from PIL import Image
from telegram.error import TelegramError

from adapters.fitting import fit
from adapters.text_files import MOST_TEXT_BYTES, is_text
from bot.chat import Attachment, File

MOST_PHOTO_BYTES = 10_000_000
MOST_BYTES = 50_000_000  # of an upload
MOST_DOWNLOAD_BYTES = 20_000_000
MOST_SIDES = 10_000  # width and height of a photo together, in pixels
MOST_RATIO = 20
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")

Way = Literal["photo", "animation", "document"]


@dataclass(frozen=True)
class Upload:
    """A file that Telegram takes, and the method that takes it."""

    file: File
    way: Way


async def uploads(files: tuple[File, ...]) -> tuple[list[Upload], list[str]]:
    """What can be sent, and the names of what cannot, however small it is made."""
    found, left_out = [], []
    for file in files:
        fitted: File | None = file
        if len(file.content) > MOST_BYTES:
            fitted = await asyncio.to_thread(fit, file, MOST_BYTES)
        if fitted is None or not fitted.content:
            left_out.append(file.name)
        else:
            found.append(Upload(fitted, way(fitted)))
    return found, left_out


def way(file: File) -> Way:
    """Photos are shown at once; what Telegram does not take as one is a document."""
    name = file.name.lower()
    if name.endswith((".gif", ".mp4")):
        return "animation"
    if name.endswith(PICTURES) and len(file.content) <= MOST_PHOTO_BYTES:
        width, height = size(file.content)
        short, long = sorted((width, height))
        if short and width + height <= MOST_SIDES and long <= MOST_RATIO * short:
            return "photo"
    return "document"


def size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels; (0, 0) for what is no picture."""
    try:
        with Image.open(BytesIO(content)) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0, 0


@dataclass(frozen=True)
class Found:
    """A picture that a person has sent, still with Telegram."""

    file: str  # Telegram's id of it
    name: str
    bytes: int


class NotTaken(Exception):
    """Why a file of a person could not be had: a key of [telegram]."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def picture_in(message: telegram.Message | None) -> Found | None:
    """The picture of a message, in its largest size; pictures sent as files count too."""
    if message is None:
        return None
    if message.photo:
        photo = message.photo[-1]
        return Found(photo.file_id, "photo.jpg", photo.file_size or 0)
    document = message.document
    if document is not None and (document.mime_type or "").startswith("image/"):
        name = document.file_name or "picture.png"
        return Found(document.file_id, name, document.file_size or 0)
    return None


def text_in(message: telegram.Message) -> Found | None:
    """The text file of a message."""
    document = message.document
    if document is None:
        return None
    name, size = document.file_name or "", document.file_size or 0
    is_read = is_text(name, document.mime_type) and size <= MOST_TEXT_BYTES
    return Found(document.file_id, name, size) if is_read else None


async def download(bot: telegram.Bot, found: Found) -> Attachment:
    """The picture itself. Raises NotTaken."""
    if found.bytes > MOST_DOWNLOAD_BYTES:
        raise NotTaken("telegram.too_large")
    try:
        file = await bot.get_file(found.file)
        return Attachment(found.name, bytes(await file.download_as_bytearray()))
    except TelegramError as error:
        large = "file is too big" in error.message.lower()
        raise NotTaken("telegram.too_large" if large else "telegram.no_download") from error
