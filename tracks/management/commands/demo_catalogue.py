from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.markup import escape
from rich.progress import Progress, TaskID

from tracks.terminal import console_on


class TerminalWatch:
    """One bar for each step; sentences stay above it."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._bar: TaskID | None = None
        self._what = ""

    def step(self, what: str, done: int, total: int) -> None:
        if what != self._what or self._bar is None:
            self._clear()
            self._what, self._bar = what, self._bars.add_task(escape(what), total=total)
        self._bars.update(self._bar, completed=min(done, total))

    def line(self, text: str) -> None:
        self._clear()
        self._bars.console.print(escape(text))

    def _clear(self) -> None:
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bar = None


class Command(BaseCommand):
    help = (
        "Fills the demo catalogue with real, freely licensed soundtracks from Debian packages; "
        "where those cannot be had, with pieces composed here. Does only what is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--first", type=int, metavar="N", help="only the N smallest packages (default: all)"
        )

    def handle(self, *args: Any, first: int | None, **options: Any) -> None:
        from tracks.demo.fill import fill  # soundfile and numpy: not for every command

        console = console_on(self.stdout)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
            fill(TerminalWatch(bars), first)
