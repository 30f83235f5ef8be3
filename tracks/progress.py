"""How far a long job has come, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from tracks.models import ImportItem, IndexEntry, Job

Item, Entry = ImportItem.State, IndexEntry.State


@dataclass(frozen=True)
class Progress:
    """Steps of a job: files, tracks or epochs.

    Attributes:
        done: steps that are over, those that failed among them.
        total: 0 while it is not known.
        seconds: that were worked so far.
    """

    done: int
    total: int
    failed: int = 0
    seconds: float = 0.0

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def a_minute(self) -> float:
        """Steps a minute; 0 while nothing is known."""
        return 60 * self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None while there is none."""
        if not (self.done and self.seconds):
            return None
        return self.seconds / self.done * (self.total - self.done)


def progress_of(job: Job) -> Progress:
    """Counted from the rows, or as its worker told."""
    if job.kind == Job.Kind.IMPORT:
        return _of_import(job)
    if job.kind == Job.Kind.INDEX:
        return _of_index(job)
    told = job.progress
    return Progress(told.get("done", 0), told.get("total", 0), seconds=told.get("seconds", 0.0))


def _of_import(job: Job) -> Progress:
    """Files looked at while it is planned, then files that were dealt with."""
    over = ImportItem.DONE if job.options.get("go") else [*ImportItem.PLANNED, *ImportItem.DONE]
    counts = job.items.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state__in=over)),
        failed=Count("pk", filter=Q(state=Item.REFUSED)),
    )
    return Progress(**counts, seconds=job.progress.get("seconds", 0.0))


def _of_index(job: Job) -> Progress:
    """Entries that were queued by it; one that another job queued since counts as done."""
    counts = job.entries.aggregate(
        waiting=Count("pk", filter=Q(state=Entry.PENDING)),
        failed=Count("pk", filter=Q(state=Entry.FAILED)),
    )
    total = job.options.get("entries", 0)
    until = job.ended_at or timezone.now()
    worked = (until - (job.started_at or job.created_at)).total_seconds()
    left = counts["waiting"] + job.progress.get("given_back", 0)
    return Progress(total - left, total, counts["failed"], worked)
