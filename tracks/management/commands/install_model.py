from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ml.errors import ArtefactError
from ml.pretrained import DEFAULT
from tracks.services.versions import VersionConflictError, install_model


class Command(BaseCommand):
    help = (
        "Registers the model version in an artefact folder and queues every track for it. The "
        "first version of all becomes active; a later one is indexed beside it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", nargs="?", type=Path, default=DEFAULT, help="default: the bundled model"
        )

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            version, created = install_model(folder)
        except (ArtefactError, VersionConflictError) as error:
            raise CommandError(str(error)) from error
        known = "installed" if created else "was installed already"
        self.stdout.write(f"The model version {version.name} {known}; it is {version.state}.")
