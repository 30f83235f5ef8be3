from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.markup import escape

from tracks.terminal import console_on, tell_import


class Command(BaseCommand):
    help = (
        "Imports the FMA data set as it is distributed: fma_metadata/tracks.csv and whatever is "
        "there of fma_small, fma_medium, fma_large and fma_full. Reports each track that it does "
        "not take, with the reason, and then exits with status 1, unless all were in the "
        "catalogue already. With --features-only no track is imported: the MFCC statistics of "
        "fma_metadata/features.csv are stored for python -m ml.train --config original."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--features-only", action="store_true")
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FILE",
            help="of --features-only; without it fma_metadata/mfcc.npz below DIR",
        )

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        if options["features_only"]:
            metadata = folder / "fma_metadata"
            self._features(metadata / "features.csv", options["out"] or metadata / "mfcc.npz")
        else:
            self._tracks(folder)

    def _tracks(self, folder: Path) -> None:
        from ml.errors import TableError
        from tracks.fma import FmaFolder  # decodes: not for every command

        try:
            fma = FmaFolder(folder)
            total, elsewhere = fma.counts()
        except TableError as error:
            raise CommandError(error.detail) from error
        note = f"{elsewhere} tracks of larger sets than those in {folder} were passed over."
        tell_import(
            console_on(self.stdout), fma.outcomes(), total, folder, note if elsewhere else ""
        )

    def _features(self, path: Path, out: Path) -> None:
        from ml.errors import TableError
        from ml.fma import read_features

        console = console_on(self.stdout)
        refused: list[str] = []

        def tell(row: str, why: str) -> None:
            refused.append(row)
            console.print(escape(f"{row}: {why}"))

        try:
            table = read_features(path, tell)
            table.save(out)
        except TableError as error:
            raise CommandError(error.detail) from error
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}") from error
        count = len(table.track_ids)
        console.print(escape(f"{count} tracks in {out}, {len(refused)} reported"))
        if refused:
            raise SystemExit(1)
