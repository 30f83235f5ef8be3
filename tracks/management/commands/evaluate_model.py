from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tracks.models import Job
from tracks.reasons import reason
from tracks.services import jobs
from tracks.version_commands import VersionCommand


class Command(VersionCommand):
    help = "Measures a model version on the catalogue, here and now, and keeps its report."

    def handle(self, *args: Any, name: str, json: bool, **options: Any) -> None:
        from tracks.evaluating import evaluate

        version = self.version(name)
        job = jobs.begin(Job.Kind.EVALUATE, f"Evaluate {name}", {"version": version.pk})
        if not evaluate(job):
            job.refresh_from_db()
            raise CommandError(reason(job.error_code, job.error_detail))
        version.refresh_from_db()
        self.tell(version, json, evaluation=version.evaluation)
