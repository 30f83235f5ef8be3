from __future__ import annotations

import json as texts
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from tracks.models import Job
from tracks.reasons import reason
from tracks.services import jobs
from tracks.training_form import FILTERS, TrainingForm
from tracks.version_commands import VersionCommand


class Command(VersionCommand):
    help = "Trains a model version on the catalogue, here and now, and registers it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--config", default="soundsite")
        parser.add_argument("--overrides", default="", metavar="JSON")
        parser.add_argument("--epochs", type=int, default=30)
        parser.add_argument("--seed", type=int, default=1)
        for name in FILTERS:
            parser.add_argument(f"--{name}", default="")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        from tracks.training import train

        form = TrainingForm(options)
        if not form.is_valid():
            errors = [str(error) for found in form.errors.values() for error in found]
            raise CommandError(" ".join(errors))
        wanted = form.options()
        job = jobs.begin(Job.Kind.TRAIN, f"Train {wanted['name']}", wanted)
        version = train(job, lambda progress: self._show(progress, json))
        if version is None:
            job.refresh_from_db()
            raise CommandError(reason(job.error_code, job.error_detail))
        self.tell(version, json)

    def _show(self, progress: Mapping[str, Any], json: bool) -> None:
        if json:
            self.stderr.write(texts.dumps({**progress, "epochs": progress["epochs"][-1:]}))
        else:
            self.stderr.write(f"{progress['stage']} {progress['done']} of {progress['total']}")
