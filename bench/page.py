"""How long does a page take, and how much memory? `python -m bench.page [--json FILE]`.

Four panels with the engine warm (median of three), `inkwell draw` from a cold start (median of
three processes), peak memory, and whether 24 panels need more of it than 8. Every memory figure
comes from a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median

from bench.table import Bar, finish, print_table
from bot.files import load_script
from bot.page.page import PagePanel, compose_pages
from bot.script import StoryScript
from engine.request import CharacterRequest, DrawRequest, PanelDrawn, PanelRequest

STORY = Path(__file__).parent.parent / "examples" / "tab-or-space.en.story"
MEGABYTE = 1e6


def request_of(script: StoryScript) -> DrawRequest:
    return DrawRequest(
        tuple(CharacterRequest(c.name, c.description) for c in script.characters),
        tuple(PanelRequest(p.text, p.characters) for p in script.panels),
    )


def draw_page(script: StoryScript) -> tuple[float, float]:
    """Seconds for the whole page, and of these the seconds for layout and lettering."""
    from PIL import Image

    from engine.story import draw_story

    began = time.monotonic()
    pictures = [
        Image.open(BytesIO(event.png)).convert("RGB")
        for event in draw_story(request_of(script))
        if isinstance(event, PanelDrawn)
    ]
    panels = [
        PagePanel(p, line.caption, line.kind, None)
        for p, line in zip(pictures, script.panels, strict=True)
    ]
    drawn = time.monotonic()
    compose_pages(panels, "classic")
    done = time.monotonic()
    return done - began, done - drawn


def peak_of(panels: int) -> float:
    """Peak megabytes of a fresh process that draws a story of so many panels."""
    code = (
        "import json, resource, sys; from dataclasses import replace;"
        "from bench.page import STORY, load_script, request_of;"
        "from engine.story import draw_story;"
        "r = request_of(load_script(STORY)); n = int(sys.argv[1]);"
        "r = replace(r, panels=(r.panels * n)[:n], steps=4);"
        "size = sum(len(getattr(e, 'png', b'')) for e in draw_story(r));"
        "p = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "print(json.dumps([p, size]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(panels)], check=True, capture_output=True, text=True
    )
    peak, _ = json.loads(out.stdout)
    return float(peak) / (1e6 if sys.platform == "darwin" else 1e3)


def cold_start() -> float:
    """Seconds of `inkwell draw` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bot.cli", "draw", str(STORY), "--out", folder]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))
        return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    script = load_script(STORY)
    cold = median(cold_start() for _ in range(3))
    draw_page(script)
    pages = [draw_page(script) for _ in range(3)]
    warm, lettering = (median(seconds) for seconds in zip(*pages, strict=True))
    memory = {count: median(peak_of(count) for _ in range(3)) for count in (8, 24)}
    pictures = 16 * 256 * 256 * 3 * 4 / MEGABYTE  # 16 more decoded pictures, as float tensors
    print_table(
        ["", "figure"],
        [
            ["four-panel page, engine warm", f"{warm:.1f} s"],
            ["of these, layout and lettering", f"{lettering:.2f} s"],
            ["`inkwell draw`, cold start", f"{cold:.1f} s"],
            ["peak memory, 8 panels", f"{memory[8]:.0f} MB"],
            ["peak memory, 24 panels", f"{memory[24]:.0f} MB"],
        ],
    )
    finish(
        [
            Bar("page, engine warm", warm, 15, at_least=False, unit=" s"),
            Bar("layout and lettering", lettering, 1, at_least=False, unit=" s"),
            Bar("page, cold start", cold, 35, at_least=False, unit=" s"),
            Bar("peak memory", memory[24], 3000, at_least=False, unit=" MB"),
            Bar(
                "memory of 24 panels over 8",
                memory[24] - memory[8],
                pictures + 30,
                at_least=False,
                unit=" MB",
            ),
        ],
        {"warm_seconds": warm, "cold_seconds": cold, "peak_megabytes": memory},
        options.json,
    )


if __name__ == "__main__":
    main()
