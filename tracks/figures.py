"""Counts of the catalogue and its jobs for the administrator's first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from tracks.models import IndexEntry, Job, Track
from tracks.selectors import waiting_entries


@dataclass(frozen=True)
class CatalogueFigures:
    """Size of the catalogue; `measured` tracks have told their length by now."""

    tracks: int
    measured: int
    seconds: float
    size: int

    @property
    def hours(self) -> str:
        return f"{self.seconds / 3600:.1f}"

    @property
    def unmeasured(self) -> str:
        """A word on the tracks whose length is not in the hours."""
        missing = self.tracks - self.measured
        return f"{missing} not measured yet" if missing else ""


@dataclass(frozen=True)
class Waiting:
    """What waits for a worker, and since when the oldest of it does."""

    count: int
    oldest: datetime | None


def catalogue_figures() -> CatalogueFigures:
    return CatalogueFigures(
        **Track.objects.shown().aggregate(
            tracks=Count("pk"),
            measured=Count("duration"),
            seconds=Sum("duration", default=0.0),
            size=Sum("size", default=0),
        )
    )


def waiting_to_be_indexed() -> Waiting:
    """Since they were created, or since the job that had them heard again."""
    counts = waiting_entries().aggregate(
        count=Count("pk"),
        new=Min("created_at", filter=Q(job=None)),
        again=Min("job__created_at"),
    )
    since = [moment for moment in (counts["new"], counts["again"]) if moment]
    return Waiting(counts["count"], min(since, default=None))


def waiting_jobs() -> dict[str, Waiting]:
    """Jobs that no worker has taken up yet, by kind."""
    rows = (
        Job.objects.filter(state=Job.State.QUEUED)
        .order_by()
        .values_list("kind")
        .annotate(Count("pk"), Min("created_at"))
    )
    return {kind: Waiting(count, oldest) for kind, count, oldest in rows}


def indexed_by_hour(since: datetime) -> dict[datetime, int]:
    """Entries whose last attempt ended in that hour with the track indexed."""
    rows = (
        IndexEntry.objects.filter(state=IndexEntry.State.INDEXED, indexed_at__gte=since)
        .order_by()
        .values_list(TruncHour("indexed_at"))
        .annotate(Count("pk"))
    )
    return dict(rows)


def failed_entries() -> QuerySet[IndexEntry]:
    """The last ones to fail first."""
    failed = IndexEntry.objects.filter(state=IndexEntry.State.FAILED).order_by("-indexed_at")
    return failed.select_related("track", "model_version").defer(*IndexEntry.BULKY)


def failed_jobs() -> QuerySet[Job]:
    """The last ones to fail first."""
    return Job.objects.filter(state=Job.State.FAILED).order_by("-ended_at")
