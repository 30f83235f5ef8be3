"""`manage.py restore FILE`: a backup into an empty installation."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from soundsite.backup.errors import BackupError
from soundsite.backup.words import summary


class Command(BaseCommand):
    help = (
        "Restores what `backup` wrote into an installation without users, tracks and uploads. "
        "The whole file is checked first; an installation in use is never touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="tell what came back as JSON")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        from soundsite.backup.restoring import restore

        try:
            told = summary(restore(file))
        except BackupError as error:
            raise CommandError(str(error)) from error
        sentence = (
            "Restored {users} users, {tracks} tracks, {uploads} uploads, {files} files as of "
            "{made_at}. Everybody signs in again."
        )
        self.stdout.write(json.dumps(told) if options["json"] else sentence.format(**told))
