"""What people typed into a form that could not be taken, so that they need not type it again.

In memory only: a button that opens the form works without it, too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

MOST = 500  # forms
LONGEST = 20_000  # characters of one form


class Drafts:
    """The newest drafts, by person and by the form's data."""

    def __init__(self) -> None:
        self._drafts: OrderedDict[tuple[str, str], Mapping[str, str]] = OrderedDict()

    def keep(self, person: str, data: str, fields: Mapping[str, str]) -> None:
        if sum(map(len, fields.values())) <= LONGEST:
            self._drafts[person, data] = dict(fields)
            self._drafts.move_to_end((person, data))
        while len(self._drafts) > MOST:
            self._drafts.popitem(last=False)

    def take(self, person: str, data: str) -> Mapping[str, str]:
        """The draft, or nothing; it is forgotten then."""
        return self._drafts.pop((person, data), {})

    def forget(self, person: str) -> None:
        for key in [key for key in self._drafts if key[0] == person]:
            del self._drafts[key]
