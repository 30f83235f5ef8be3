"""What the commands about model versions share."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracks.models import ModelVersion
from tracks.selectors import coverage


def facts(version: ModelVersion) -> dict[str, Any]:
    """Of a version, for programs."""
    counts = coverage(version)
    return {
        "name": version.name,
        "state": version.state,
        "tracks": counts.tracks,
        "indexed": counts.indexed,
        "pending": counts.pending,
        "failed": counts.failed,
    }


class VersionCommand(BaseCommand):
    """A command about one version, by name, whose outcome may be had as JSON."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the model version")
        parser.add_argument("--json", action="store_true")

    def version(self, name: str) -> ModelVersion:
        try:
            return ModelVersion.objects.get(name=name)
        except ModelVersion.DoesNotExist as error:
            raise CommandError(f"There is no model version named {name}.") from error

    def tell(self, version: ModelVersion, as_json: bool, **more: Any) -> None:
        version.refresh_from_db()
        found = {**facts(version), **more}
        sentence = f"The model version {version.name} is {version.state}."
        self.stdout.write(json.dumps(found) if as_json else sentence)
