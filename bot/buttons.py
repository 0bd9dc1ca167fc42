"""What a button means, in at most 64 bytes: it works after any restart, for years.

The form is "action:subject:argument", such as "redraw:k3vq7mzt2a:5". Actions that were ever shown
keep their names; one that is gone is refused with a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.chat import MOST_BUTTON_BYTES, Button
from bot.errors import Refusal

SEPARATOR = ":"
Look = Literal["plain", "primary", "danger"]


@dataclass(frozen=True)
class Press:
    """`action` is a name of the tables in `bot.commands`; `subject` is the id of a story, a
    character or a job; `argument` is what the action makes of it."""

    action: str
    subject: str = ""
    argument: str = ""

    def encode(self) -> str:
        """The button's data. Raises ValueError where it cannot be read again: our mistake."""
        data = SEPARATOR.join((self.action, self.subject, self.argument)).rstrip(SEPARATOR)
        if len(data.encode()) > MOST_BUTTON_BYTES or decode(data) != self:
            raise ValueError(f"not a button's data: {data}")
        return data

    @property
    def number(self) -> int:
        """The argument as a whole number. Raises Refusal."""
        return whole(self.argument)

    @property
    def job(self) -> int:
        """The subject as the number of a job. Raises Refusal."""
        return whole(self.subject)


def whole(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise Refusal("commands.old_button")
    return int(digits)


def decode(data: str) -> Press:
    """What a pressed button means. Raises Refusal for what no button of ours ever carried."""
    parts = data.split(SEPARATOR, 2)
    if len(data.encode(errors="replace")) > MOST_BUTTON_BYTES or not parts[0]:
        raise Refusal("commands.old_button")
    return Press(*parts)


def button(
    label: str, action: str, subject: str = "", argument: str | int = "", look: Look = "plain"
) -> Button:
    """A button that means an action."""
    return Button(label, Press(action, subject, str(argument)).encode(), look)
