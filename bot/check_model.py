"""`inkwell check --model NAME`: on what terms a model comes, whether it loads, and how it draws."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import ENGINE_SECONDS, GIGABYTE, Finding, ask_engine
from bot.config import Config
from bot.words import say

FETCH_SECONDS = 6 * 3600.0  # seven gigabytes over a slow line
DRAW_SECONDS = 1800.0  # a large model on a processor


def model_findings(
    config: Config, language: str | None, model: str, *, fetch: bool = False
) -> Iterator[Finding]:
    """Rows about one model. Nothing is fetched from the hub unless `fetch` says so.

    Size and licence are said first, before anything comes.
    """

    def words(key: str, **values: object) -> str:
        return say(language, f"check.{key}", **values)

    known = ask_engine(config, model, "--terms", seconds=ENGINE_SECONDS)
    if not isinstance(known, dict) or known["problem"]:
        why = known["problem"] if isinstance(known, dict) else known
        yield Finding(words("model"), "missing", str(why), words("model_do"))
        return
    licence = known["licence"] or words("licence_unknown")
    yield Finding(words("licence"), "ok", licence)
    for part in known["missing"]:
        remedy = "" if fetch else words("model_fetch_do", model=model)
        yield Finding(words("hub"), "note" if fetch else "missing", part, remedy)
    if known["missing"] and not fetch:
        return
    more = ("--draw", "--fetch") if fetch else ("--draw",)
    seen = ask_engine(config, model, *more, seconds=FETCH_SECONDS if fetch else DRAW_SECONDS)
    if not isinstance(seen, dict) or seen["problem"]:
        why = seen["problem"] if isinstance(seen, dict) else seen
        yield Finding(words("model"), "missing", str(why), words("model_do"))
        return
    drawn = seen["drawn"]
    found = words(
        "model_drawn", model=model, device=seen["device"], pixels=drawn["pixels"],
        seconds=drawn["seconds"], memory=drawn["bytes"] / GIGABYTE,
    )  # fmt: skip
    yield Finding(words("model"), "ok", found)
