"""Guided dialogs: what a command or form needs is asked for, one message a question.

A dialog is a row in the chat's own file, so that it goes on after a restart. Everybody has at most
one in a chat, and the next command ends it. What is typed a day later is no answer any more.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import telegram

from adapters.telegram_commands import may_be_script
from adapters.telegram_files import Found
from adapters.telegram_outbox import Outbox, Outgoing
from adapters.telegram_parts import Markup
from adapters.telegram_questions import Question, Wrong, read_answer, with_offers
from adapters.telegram_storage import Storage
from adapters.telegram_talk import Talk
from adapters.telegram_text import cut, keyboard
from bot.chat import Bot, Button, Call, CannotPost, Place, Value

MARK = "~"  # buttons of ours begin with it; no button of the bot does
CANCEL, SKIP, FINISH = "c", "s", "f"
LONGEST_LABEL = 60
LONGEST_PLACEHOLDER = 64
LONGEST_VALUE = 3000  # characters shown of what stands in a form already
OPEN_SECONDS = 24 * 3600.0  # that a question waits for what is typed
WRITING_SECONDS = 3600.0  # that somebody may need to write a long text


@dataclass(frozen=True)
class Dialog:
    """One that is going on; `questions[0]` was asked last, in `message`, `at` a place and a time.

    `place` is what it is about. One that an older Inkwell has kept knows neither place nor time.
    """

    id: str
    place: Place
    questions: tuple[Question, ...]
    command: str = ""
    form: str = ""  # the data of a form, where it is one
    options: dict[str, Value] = field(default_factory=dict)
    files: dict[str, Found] = field(default_factory=dict)
    message: str = ""
    at: Place | None = None
    asked: float = 0.0  # seconds since 1970

    def is_over(self, words: str, *, alone: bool) -> bool:
        """Whether words are no answer any more: they come late, or begin a story. `alone`: nobody
        else reads here, so that a script that is pasted is meant for the bot."""
        age = time.time() - self.asked
        if age > OPEN_SECONDS:
            return True
        wanted = self.questions[0].long and age <= WRITING_SECONDS
        return alone and may_be_script(words) and not wanted

    def to_json(self) -> str:
        kept = asdict(self)
        kept["questions"] = [question.to_json() for question in self.questions]
        return json.dumps(kept)

    @classmethod
    def from_json(cls, text: str) -> Dialog:
        kept: dict[str, Any] = json.loads(text)
        kept["place"] = Place(**kept["place"])
        kept["at"] = Place(**kept["at"]) if kept.get("at") else None
        kept["questions"] = tuple(Question.from_json(one) for one in kept["questions"])
        kept["files"] = {name: Found(**found) for name, found in kept["files"].items()}
        return cls(**kept)


class Dialogs:
    def __init__(self, storage: Storage, bot: Bot, outbox: Outbox) -> None:
        self._storage, self._bot, self._outbox = storage, bot, outbox

    async def begin(
        self,
        talk: Talk,
        questions: Sequence[Question],
        *,
        command: str = "",
        form: str = "",
        options: Mapping[str, Value] | None = None,
        files: Mapping[str, Found] | None = None,
    ) -> None:
        """Asks the first question. What was going on there is over."""
        await self.end(talk)
        dialog = Dialog(
            secrets.token_hex(3),
            talk.place,
            tuple(questions),
            command,
            form,
            dict(options or {}),
            dict(files or {}),
        )
        await self._ask(talk, dialog)

    async def of(self, talk: Talk) -> Dialog | None:
        """The one that a person has in a chat."""
        row = await self._storage.row(
            "SELECT state FROM dialogs WHERE chat = ? AND person = ?",
            talk.at.channel,
            talk.person.id,
        )
        return Dialog.from_json(row["state"]) if row else None

    async def end(self, talk: Talk) -> Dialog | None:
        """Ends it, and says which one it was."""
        dialog = await self.of(talk)
        if dialog is not None:
            await self._storage.rows("DELETE FROM dialogs WHERE id = ?", dialog.id)
            await self._settle(talk, dialog)
        return dialog

    async def answered(
        self, talk: Talk, dialog: Dialog, words: str, found: Found | None
    ) -> Dialog | None:
        """Takes what was typed or sent; the dialog, once nothing is left to ask."""
        question = dialog.questions[0]
        if question.kind == "file" and found is not None:
            files = {**dialog.files, question.name: found}
            return await self._on(talk, replace(dialog, files=files), found.name)
        try:
            value = read_answer(question, words)
        except Wrong as wrong:
            words = self._bot.say(talk.language, wrong.key, **wrong.values)
            await self._say(talk, words[:1].upper() + words[1:])
            return None
        return await self._with(talk, dialog, value, str(words))

    async def pressed(self, talk: Talk, data: str) -> Dialog | None:
        """Takes a pressed button; the dialog, once nothing is left to ask."""
        number, _, meaning = data.removeprefix(MARK).partition(":")
        dialog = await self.of(talk)
        if dialog is None or dialog.id != number:
            await self._say(talk, self._bot.say(talk.language, "telegram.dialog_over"))
            return None
        step, _, chosen = meaning.partition(".")
        if chosen == CANCEL:
            await self.cancel(talk)
            return None
        if step != str(len(dialog.questions)):
            return None  # a button of an earlier question, or pressed twice
        if chosen == SKIP:
            return await self.skipped(talk, dialog)
        if chosen == FINISH:
            return await self._finished(talk, dialog)
        offers = dialog.questions[0].offers
        if not chosen.isdecimal() or int(chosen) >= len(offers):
            return None
        label, value = offers[int(chosen)]
        return await self._with(talk, dialog, value, label)

    async def skipped(self, talk: Talk, dialog: Dialog) -> Dialog | None:
        """Leaves an answer out; a form's field keeps what stands in it."""
        question = dialog.questions[0]
        if question.value is not None:
            if question.required and not question.value:
                await self._say(talk, self._bot.say(talk.language, "telegram.must_answer"))
                return None
            return await self._with(talk, dialog, question.value, "")
        if question.required:
            await self._say(talk, self._bot.say(talk.language, "telegram.must_answer"))
            return None
        return await self._on(talk, dialog, "")

    async def cancel(self, talk: Talk) -> None:
        """Ends a dialog at the person's wish."""
        was = await self.end(talk)
        key = "telegram.cancelled" if was else "telegram.nothing_to_cancel"
        await self._say(talk, self._bot.say(talk.language, key))

    async def _with(self, talk: Talk, dialog: Dialog, value: Value, said: str) -> Dialog | None:
        options = {**dialog.options, dialog.questions[0].name: value}
        return await self._on(talk, replace(dialog, options=options), said)

    async def _on(self, talk: Talk, dialog: Dialog, said: str) -> Dialog | None:
        """To the next question."""
        await self._settle(talk, dialog, said)
        dialog = replace(dialog, questions=dialog.questions[1:], message="")
        if not dialog.questions:
            return await self._finished(talk, dialog)
        await self._ask(talk, dialog)
        return None

    async def _finished(self, talk: Talk, dialog: Dialog) -> Dialog:
        await self._storage.rows("DELETE FROM dialogs WHERE id = ?", dialog.id)
        await self._settle(talk, dialog)
        return dialog

    async def _ask(self, talk: Talk, dialog: Dialog) -> None:
        call = Call(talk.person, dialog.place, dialog.command, dialog.options)
        question = await with_offers(self._bot, call, dialog.questions[0])
        questions = (question, *dialog.questions[1:])
        dialog = replace(dialog, questions=questions, at=talk.at, asked=time.time())
        await self._keep(talk, dialog)
        outgoing = Outgoing(
            self._words(talk, question),
            markup=self._markup(talk, dialog),
            mention=talk.person if talk.in_group and talk.message is None else None,
            reply_to=talk.reply_to,
            owner=talk.person.id,
            language=talk.language,
        )

        async def ask() -> None:
            if not await self._is_asking(talk, dialog):
                return
            sent = await self._outbox.send(talk.at, outgoing)
            has_buttons = isinstance(outgoing.markup, telegram.InlineKeyboardMarkup)
            if has_buttons and await self._is_asking(talk, dialog):
                await self._keep(talk, replace(dialog, message=sent.id))

        await self._outbox.later.surely(ask, talk.at.channel, talk.person.id)

    async def _is_asking(self, talk: Talk, dialog: Dialog) -> bool:
        """Whether its question is still open: Telegram may want it asked later."""
        now, left = await self.of(talk), len(dialog.questions)
        return now is not None and (now.id, len(now.questions)) == (dialog.id, left)

    async def _keep(self, talk: Talk, dialog: Dialog) -> None:
        await self._storage.rows(
            "INSERT OR REPLACE INTO dialogs VALUES (?, ?, ?, ?)",
            dialog.id,
            talk.at.channel,
            talk.person.id,
            dialog.to_json(),
        )

    def _words(self, talk: Talk, question: Question) -> str:
        """The question, what stands there already, and how to answer."""
        say, language = self._bot.say, talk.language
        lines = [question.text]
        if question.value:
            shown = cut(question.value, LONGEST_VALUE)
            lines += ["", say(language, "telegram.now"), shown]
        if question.kind == "file":
            lines += ["", say(language, "telegram.send_picture")]
        if self._is_typed(talk, question):
            can_skip = not question.required or bool(question.value)
            key = "telegram.type_or_skip" if can_skip else "telegram.type_or_cancel"
            lines += ["", say(language, key)]
        return "\n".join(lines)

    def _is_typed(self, talk: Talk, question: Question) -> bool:
        """In groups an answer must be a reply: Telegram opens one, and then shows no buttons."""
        return talk.in_group and not question.offers

    def _markup(self, talk: Talk, dialog: Dialog) -> Markup | None:
        question, left = dialog.questions[0], len(dialog.questions)
        say, language = self._bot.say, talk.language
        if self._is_typed(talk, question):
            words = question.text[:LONGEST_PLACEHOLDER]
            return telegram.ForceReply(selective=True, input_field_placeholder=words)

        def button(label: str, meaning: str) -> Button:
            return Button(cut(label, LONGEST_LABEL), f"{MARK}{dialog.id}:{left}.{meaning}")

        offers = [button(label, str(i)) for i, (label, _) in enumerate(question.offers)]
        width = 1 if question.suggests else 3
        rows = [offers[first : first + width] for first in range(0, len(offers), width)]
        last = []
        if question.value:
            last.append(button(say(language, "telegram.button_keep"), SKIP))
        elif not question.required:
            last.append(button(say(language, "telegram.button_skip"), SKIP))
        if left > 1 and not any(one.required or one.value for one in dialog.questions):
            last.append(button(say(language, "telegram.button_finish"), FINISH))
        last.append(button(say(language, "telegram.button_cancel"), CANCEL))
        return keyboard([*rows, last])

    async def _settle(self, talk: Talk, dialog: Dialog, said: str = "") -> None:
        """Takes the buttons off a question that is answered, and shows the answer there."""
        if not dialog.message or not dialog.questions:
            return
        text = dialog.questions[0].text
        text = f"{text}\n→ {cut(said, LONGEST_LABEL)}" if said else text
        try:
            await self._outbox.edit(talk.at, dialog.message, Outgoing(text))
        except CannotPost:
            return  # it is only for the looks

    async def _say(self, talk: Talk, words: str) -> None:
        outgoing = Outgoing(words, reply_to=talk.reply_to, owner=talk.person.id)
        await self._outbox.say(talk.at, outgoing)
