"""`manage.py export_feedback FILE`: what people said of matches, for `python -m ml.evaluate`."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from matcher import feedback
from matcher.models import Feedback

COLUMNS = ("query_sha256", "track_sha256", "verdict")


class Command(BaseCommand):
    help = "Write what people said of matches as a CSV: query_sha256, track_sha256, verdict."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        lines = list(feedback.lines(Feedback.objects.all()))
        try:
            with file.open("w", encoding="utf-8", newline="") as table:
                csv.writer(table).writerows([COLUMNS, *lines])
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{len(lines)} verdicts were written to {file}.")
