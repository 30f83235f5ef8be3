"""Counts of uploads for the administrator's first page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from matcher.models import RUNNING, State, Upload
from tracks.figures import Waiting


@dataclass(frozen=True)
class UploadFigures:
    """Uploads since a moment, and what waits now.

    Attributes:
        oldest: since when the longest waiting one waits; None when none does.
        size: bytes of all uploads that are kept.
    """

    answered: int
    failed: int
    running: int
    waiting: int
    queued: int
    oldest: datetime | None
    size: int


def upload_figures(since: datetime) -> UploadFigures:
    """Sent in since that moment by state; waiting and kept of any age. One query."""
    new, waits = Q(created_at__gte=since), Q(state=State.QUEUED)
    return UploadFigures(
        **Upload.objects.aggregate(
            answered=Count("pk", filter=new & Q(state=State.FINISHED)),
            failed=Count("pk", filter=new & Q(state=State.FAILED)),
            running=Count("pk", filter=new & Q(state__in=RUNNING)),
            waiting=Count("pk", filter=new & waits),
            queued=Count("pk", filter=waits),
            oldest=Min("queued_at", filter=waits),
            size=Sum("size", default=0),
        )
    )


def uploads_by_hour(since: datetime) -> list[tuple[datetime, dict[str, int]]]:
    """Hours in which uploads were sent in, with how many were answered, failed, or go on."""
    rows: Iterable[Any] = (
        Upload.objects.filter(created_at__gte=since)
        .order_by()
        .values(hour=TruncHour("created_at"))
        .annotate(
            answered=Count("pk", filter=Q(state=State.FINISHED)),
            failed=Count("pk", filter=Q(state=State.FAILED)),
            open=Count("pk", filter=~Q(state__in=[State.FINISHED, State.FAILED])),
        )
    )
    names = ("answered", "failed", "open")
    return [(row["hour"], {name: row[name] for name in names}) for row in rows]


def waiting_uploads() -> Waiting:
    waits = Upload.objects.filter(state=State.QUEUED)
    return Waiting(**waits.aggregate(count=Count("pk"), oldest=Min("queued_at")))


def by_state(since: datetime) -> dict[str, int]:
    """Uploads that were sent in since then, by the state they are in."""
    rows = Upload.objects.filter(created_at__gte=since).order_by()
    return dict(rows.values_list("state").annotate(Count("pk")))


def stage_seconds(since: datetime) -> dict[str, list[float]]:
    """How long each stage took of the uploads that were answered since then; QUEUED is the wait.

    Of the last attempt, and of the latest thousand.
    """
    rows = Upload.objects.filter(state=State.FINISHED, finished_at__gte=since)
    times: dict[str, list[float]] = defaultdict(list)
    fields = ("queued_at", "stages", "finished_at")
    for queued_at, stages, finished_at in rows.order_by("-finished_at").values_list(*fields)[:1000]:
        entered = [(State.QUEUED.value, queued_at), *_entered(stages), ("", finished_at)]
        for (stage, start), (_, end) in pairwise(entered):
            times[stage].append((end - start).total_seconds())
    return times


def _entered(stages: dict[str, str]) -> list[tuple[str, datetime]]:
    """Stages in their order, each with the moment it was entered."""
    return [
        (stage.value, datetime.fromisoformat(stages[stage])) for stage in RUNNING if stage in stages
    ]


def longest_in_stage(now: datetime) -> dict[str, float]:
    """Seconds that the job which is longest in a stage has been there, by stage."""
    longest: dict[str, float] = {}
    rows = Upload.objects.filter(state__in=RUNNING).values_list("state", "stages")
    for state, stages in rows:
        if state in stages:
            seconds = (now - datetime.fromisoformat(stages[state])).total_seconds()
            longest[state] = max(seconds, longest.get(state, 0.0))
    return longest


def failed_uploads() -> QuerySet[Upload]:
    """The last ones to fail first."""
    return Upload.objects.filter(state=State.FAILED).order_by("-finished_at")


def upload_failures_by_code(since: datetime) -> dict[str, int]:
    """Uploads that failed since that moment, by code."""
    failed = failed_uploads().filter(finished_at__gte=since).order_by()
    return dict(failed.values_list("error_code").annotate(Count("pk")))
