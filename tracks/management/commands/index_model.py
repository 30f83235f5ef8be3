from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tracks.services import versions
from tracks.version_commands import VersionCommand


class Command(VersionCommand):
    help = "Queues the whole catalogue for a registered model version."

    def handle(self, *args: Any, name: str, json: bool, **options: Any) -> None:
        version = self.version(name)
        try:
            versions.begin_index(version)
        except versions.VersionRefusedError as refused:
            raise CommandError(str(refused)) from refused
        self.tell(version, json)
