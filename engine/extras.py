"""What an operator can set beside the models, `[engine]` of config.toml. No torch here.

The engine's process gets it on its command line, under the same names.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Extras:
    """A folder or hub name of a safety checker, and a folder of translation models; "": none."""

    safety_checker: str = ""
    translations: str = ""

    def arguments(self) -> list[str]:
        """As options of a command line; what is not set is left out."""
        return [
            part
            for field in fields(self)
            if (value := getattr(self, field.name))
            for part in (f"--{field.name.replace('_', '-')}", value)
        ]


NO_EXTRAS = Extras()


def add_extras(parser: ArgumentParser) -> None:
    for field in fields(Extras):
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, default="", help="as in config.example.toml")


def extras_of(options: Namespace) -> Extras:
    """What came on the command line."""
    return Extras(*(getattr(options, field.name) for field in fields(Extras)))
