from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from tracks.services import versions
from tracks.version_commands import VersionCommand


class Command(VersionCommand):
    help = "Lets a READY model version answer; --rollback: the one that was active before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="of the model version")
        parser.add_argument("--rollback", action="store_true")
        parser.add_argument("--json", action="store_true")

    def handle(
        self, *args: Any, name: str | None, rollback: bool, json: bool, **options: Any
    ) -> None:
        if bool(name) == rollback:
            raise CommandError("Give the name of a version, or --rollback.")
        try:
            if name:
                version = self.version(name)
                versions.switch_to(version)
            else:
                version = versions.roll_back()
        except versions.VersionRefusedError as refused:
            raise CommandError(str(refused)) from refused
        self.tell(version, json)
