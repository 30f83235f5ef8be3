from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.markup import escape
from rich.progress import track as progress

from tracks.reasons import reason
from tracks.terminal import console_on


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
        console = console_on(self.stdout)
        files, skipped = music_files(folder)
        reported: list[str] = []
        shown: dict[str, Any] = {
            "console": console,
            "transient": True,
            "disable": not console.is_terminal,
        }
        outcomes = progress(import_files(files), "Importing", len(files), **shown)
        for outcome in outcomes:
            if outcome.code:
                name, text = outcome.path.relative_to(folder), reason(outcome.code, outcome.detail)
                console.print(escape(f"{name}: {outcome.code}: {text}"))
                reported.append(outcome.code)
        if skipped:
            console.print(f"{skipped} files that are no music by their ending were passed over.")
        console.print(f"{len(files) - len(reported)} imported, {len(reported)} reported")
        if set(reported) - {"duplicate"}:
            raise SystemExit(1)
