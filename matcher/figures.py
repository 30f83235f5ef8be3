"""Counts of uploads for the administrator's first page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from matcher.models import RUNNING, State, Upload


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


def failed_uploads() -> QuerySet[Upload]:
    """The last ones to fail first."""
    return Upload.objects.filter(state=State.FAILED).order_by("-finished_at")


def upload_failures_by_code(since: datetime) -> dict[str, int]:
    """Uploads that failed since that moment, by code."""
    failed = failed_uploads().filter(finished_at__gte=since).order_by()
    return dict(failed.values_list("error_code").annotate(Count("pk")))
