"""What the page of an INDEX job shows beside its bar: the tracks that failed, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from tracks.admin.common import why
from tracks.models import IndexEntry, Job

SHOWN = 50


def index_details(request: HttpRequest, job: Job) -> Mapping[str, Any]:
    """The first failures, and how many there are in all."""
    failed = job.entries.filter(state=IndexEntry.State.FAILED).order_by("pk")
    entries = failed.select_related("track", "model_version").defer(*IndexEntry.BULKY)
    return {
        "failures": [(entry, why(entry)) for entry in entries[:SHOWN]],
        "failed": failed.count(),
        "in_hand": job.entries.filter(heartbeat_at__isnull=False).count(),
    }
