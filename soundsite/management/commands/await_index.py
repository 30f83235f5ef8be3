"""Waits until the workers have dealt with everything that is waiting to be indexed.

A catalogue that was never calibrated is calibrated then: a first visitor's score means something.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tracks.models import IndexEntry
from tracks.selectors import active_version


class Command(BaseCommand):
    help = "Wait until no track is waiting to be indexed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patience", type=int, default=300, metavar="SECONDS",
                            help="give up when nothing has moved for so long")  # fmt: skip

    def handle(self, *args: Any, patience: int, **options: Any) -> None:
        total = waiting = _waiting()
        moved = time.monotonic()
        with _bar() as bar:
            task = bar.add_task("Indexing", total=total)
            while waiting:
                time.sleep(0.25)
                now = _waiting()
                moved = time.monotonic() if now != waiting else moved
                waiting, total = now, max(total, now)
                bar.update(task, completed=total - waiting, total=total)
                if time.monotonic() - moved > patience:
                    raise CommandError(f"{waiting} tracks wait and none was indexed lately.")
        _calibrate()


def _calibrate() -> None:
    from tracks.calibration import calibrate  # loads the model: not for every command

    version = active_version()
    if version is not None and not version.nearest_distances:
        calibrate(version)


def _waiting() -> int:
    return IndexEntry.objects.filter(state="PENDING").count()


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn())
