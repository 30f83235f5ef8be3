from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tracks.services import versions
from tracks.version_commands import VersionCommand


class Command(VersionCommand):
    help = "Frees the space of a model version: its index and its weights."

    def handle(self, *args: Any, name: str, json: bool, **options: Any) -> None:
        version = self.version(name)
        try:
            versions.archive(version)
        except versions.VersionRefusedError as refused:
            raise CommandError(str(refused)) from refused
        self.tell(version, json)
