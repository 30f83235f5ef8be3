from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracks.terminal import console_on, tell_import


class Command(BaseCommand):
    help = (
        "Imports every music file below a folder: titles, artists and soundtracks from the tags, "
        "or from the names of file and folder. Reports each file that it does not take, with the "
        "reason, and then exits with status 1, unless all were in the catalogue already."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        from tracks.importer import import_files, music_files  # decodes: not for every command

        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        files, skipped = music_files(folder)
        note = f"{skipped} files that are no music by their ending were passed over."
        outcomes = import_files(files)
        tell_import(console_on(self.stdout), outcomes, len(files), folder, note if skipped else "")
