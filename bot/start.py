"""The console script: Ctrl-C is answered in one line even before the rest has been imported."""

from __future__ import annotations

import os
import signal
import sys


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: end_at_once())
    from bot.cli import main as command_line

    return command_line()


def end_at_once() -> None:
    """Says that it stopped, and ends the process with code 130."""
    new_line = "\n" if os.isatty(2) else ""  # a progress line may be open
    os.write(2, f"{new_line}inkwell: stopped\n".encode())
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
