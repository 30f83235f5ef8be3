"""How far each live version's index has come, counted from its entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from tracks.models import IndexEntry, ModelVersion, Track
from tracks.reasons import reason
from tracks.selectors import live_versions

State = IndexEntry.State
# The rate is that of the last minutes: it tells whether the workers are at it now.
LATELY = timedelta(minutes=5)
SHORTEST = timedelta(seconds=10)  # a first track within a second says nothing of the next


@dataclass(frozen=True)
class Failures:
    """Entries that failed for one reason."""

    code: str
    count: int

    @property
    def sentence(self) -> str:
        return reason(self.code)


@dataclass(frozen=True)
class IndexFigures:
    """One version's index.

    Attributes:
        heard: tracks that it can answer with, those that are heard again among them.
        waiting: entries that wait for a worker.
        claimed: entries that a worker has in hand.
        a_minute: entries that ended in the last minutes, a minute.
    """

    pk: int
    name: str
    state: str
    tracks: int
    heard: int
    waiting: int
    claimed: int
    failures: list[Failures]
    a_minute: float

    @property
    def failed(self) -> int:
        return sum(failure.count for failure in self.failures)

    @property
    def pending(self) -> int:
        return self.waiting + self.claimed

    @property
    def percent(self) -> int:
        return 100 * self.heard // max(self.tracks, 1)

    @property
    def percent_failed(self) -> int:
        return -(-100 * self.failed // max(self.tracks, 1))  # one of a thousand is seen, too

    @property
    def seconds_left(self) -> float | None:
        """At the rate of the last minutes; None while there is none, or nothing to do."""
        return 60 * self.pending / self.a_minute if self.pending and self.a_minute else None


def index_figures() -> list[IndexFigures]:
    """Of every live version, in four queries."""
    tracks, rates, counts = Track.objects.shown().count(), _rates(), _counts()
    return [
        IndexFigures(
            pk=version.pk,
            name=version.name,
            state=version.get_state_display(),
            tracks=tracks,
            a_minute=rates.get(version.pk, 0.0),
            **_summed(row for row in counts if row["model_version"] == version.pk),
        )
        for version in live_versions().defer(*ModelVersion.BULKY)
    ]


def _counts() -> list[dict[str, Any]]:
    rows: Iterable[Any] = (
        IndexEntry.objects.order_by()
        .values("model_version", "state", "error_code")
        .annotate(
            entries=Count("pk"),
            claimed=Count("pk", filter=Q(heartbeat_at__isnull=False)),
            searchable=Count("pk", filter=Q(embedding__isnull=False)),
        )
    )
    return list(rows)


def _summed(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The rows of one version, put together."""
    total: Counter[str] = Counter()
    failures = []
    for row in rows:
        total.update(heard=row["searchable"], claimed=row["claimed"])
        if row["state"] == State.PENDING:
            total.update(waiting=row["entries"] - row["claimed"])
        if row["state"] == State.FAILED:
            failures.append(Failures(row["error_code"], row["entries"]))
    failures.sort(key=lambda failure: (-failure.count, failure.code))
    return {name: total[name] for name in ("heard", "waiting", "claimed")} | {"failures": failures}


def _rates() -> dict[int, float]:
    """Entries a minute by version, since the first that ended lately."""
    now = timezone.now()
    rows = (
        IndexEntry.objects.filter(indexed_at__gt=now - LATELY)
        .order_by()
        .values_list("model_version")
        .annotate(Count("pk"), Min("indexed_at"))
    )
    return {version: 60 * count / _seconds(first, now) for version, count, first in rows}


def _seconds(first: datetime, now: datetime) -> float:
    return max(now - first, SHORTEST).total_seconds()
