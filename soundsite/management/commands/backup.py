"""`manage.py backup FILE`: database, media and model artefacts in one file."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from soundsite.backup.archive import Manifest
from soundsite.backup.errors import BackupError
from soundsite.backup.making import make, make_file
from soundsite.backup.words import summary


class Command(BaseCommand):
    help = (
        "Writes database, media and model artefacts into one file while the site runs. It holds "
        "addresses, password hashes and uploads: keep it safe."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a new file; - for standard output")
        parser.add_argument("--force", action="store_true", help="replace an existing file")
        parser.add_argument("--json", action="store_true", help="tell what it holds as JSON")

    def handle(self, *args: Any, file: str, force: bool, **options: Any) -> None:
        try:
            manifest = _make(file, force)
        except BackupError as error:
            raise CommandError(str(error)) from error
        for name in manifest.missing:
            self.stderr.write(f"file-missing: {name} is not in the backup: the file is gone.")
        out = self.stderr if file == "-" else self.stdout
        told = summary(manifest)
        sentence = "Backed up {users} users, {tracks} tracks, {uploads} uploads, {files} files."
        out.write(json.dumps(told) if options["json"] else sentence.format(**told))


def _make(file: str, force: bool) -> Manifest:
    if file == "-":
        return make(sys.stdout.buffer)
    return make_file(Path(file), force=force)
