"""Reads of the catalogue, its index and the model versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.functions import Now

from tracks.models import DemoFill, IndexEntry, Job, ModelVersion, Track, TrackQuerySet
from tracks.words import having_words, spelled_alike

# A calibration takes a minute, and imports come in bursts: it waits until the index was quiet for
# so long. The first one does not wait as long, for without it no score means anything.
QUIET, QUIET_AT_FIRST = timedelta(minutes=2), timedelta(seconds=10)
# An entry's time is that of the beginning of a transaction: younger ones may not all be seen yet.
SETTLED = timedelta(seconds=10)
MOST_CHOICES = 60  # that a list to choose from offers
# A fill that has not said anything for so long was killed.
FILL_SILENCE = timedelta(minutes=2)


@dataclass(frozen=True)
class Coverage:
    """How much of the catalogue one model version has heard."""

    tracks: int
    indexed: int
    pending: int
    failed: int

    @property
    def full(self) -> bool:
        """True when nothing waits any more; failed tracks do not hold a version back."""
        return self.indexed + self.failed >= self.tracks


@dataclass(frozen=True)
class Pictures:
    """What there is to see of a piece: its peaks, and whether its codes have a strip."""

    peaks: bytes | memoryview | None
    strip: bool


NO_PICTURES = Pictures(None, False)


def pictures_of(tracks: Collection[int]) -> dict[int, Pictures]:
    """By track id, as the active version heard them; tracks it has not heard are left out."""
    entries = IndexEntry.objects.filter(
        track__in=tracks, model_version__state=ModelVersion.State.ACTIVE
    )
    painted = ExpressionWrapper(Q(strip__isnull=False), BooleanField())
    rows = entries.annotate(painted=painted).values_list("track_id", "peaks", "painted")
    return {track: Pictures(peaks, painted) for track, peaks, painted in rows}


def active_version() -> ModelVersion | None:
    """The version that answers visitors, if one is installed; what is bulky comes when read."""
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE)
    return active.defer(*ModelVersion.BULKY).first()


def live_versions() -> QuerySet[ModelVersion]:
    """Versions whose index is kept up with the catalogue."""
    return ModelVersion.objects.filter(state__in=ModelVersion.LIVE)


def artefact_folder(version: ModelVersion) -> Path:
    """Where the version's weights lie; a relative location starts at the project's folder."""
    return Path(settings.BASE_DIR) / version.location


def catalogue(query: str = "", **texts: str) -> QuerySet[Track]:
    """Tracks by soundtrack and title; with a query, those that `look_for` finds.

    Args:
        texts: the whole soundtrack, artist, genre or licence that a track must have; empty for any.
    """
    return look_for(query, **texts)[0]


def look_for(query: str, **texts: str) -> tuple[TrackQuerySet, bool]:
    """Tracks with every word of the query, best first; where there are none, those spelled alike.

    Returns:
        The tracks, and whether they really have the words.
    """
    tracks = Track.objects.shown().filter(**{name: text for name, text in texts.items() if text})
    if not query:
        return tracks.order_by("soundtrack", "title", "pk"), True
    found = having_words(tracks, query)
    return (found, True) if found.exists() else (spelled_alike(tracks, query), False)


def choices(name: str) -> list[str]:
    """The texts that shown tracks have in a field, up to one more than MOST_CHOICES."""
    tracks = Track.objects.shown().exclude(**{name: ""}).order_by(name)
    return list(tracks.values_list(name, flat=True).distinct()[: MOST_CHOICES + 1])


def coverage(version: ModelVersion) -> Coverage:
    """Counts of the version's index entries by state, beside the number of tracks."""
    states = dict(
        IndexEntry.objects.filter(model_version=version)
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
    )
    return Coverage(
        tracks=Track.objects.shown().count(),
        indexed=states.get(IndexEntry.State.INDEXED, 0),
        pending=states.get(IndexEntry.State.PENDING, 0),
        failed=states.get(IndexEntry.State.FAILED, 0),
    )


def heard_entries(version: ModelVersion) -> QuerySet[IndexEntry]:
    """What the version can answer with: an entry that waits to be heard anew answers as before."""
    return IndexEntry.objects.filter(
        model_version=version,
        state__in=[IndexEntry.State.INDEXED, IndexEntry.State.PENDING],
        embedding__isnull=False,
    )


def strip_of(track: int) -> bytes | memoryview | None:
    """The picture of a track's codes by the active version; None where there is none to show."""
    entries = IndexEntry.objects.filter(
        track=track,
        track__withdrawn_at=None,
        model_version__state=ModelVersion.State.ACTIVE,
    )
    return entries.values_list("strip", flat=True).first()


def waiting_entries() -> QuerySet[IndexEntry]:
    """Entries of live versions that no worker has claimed, oldest first.

    Before those that are to be heard anew and answer as long as they wait, come the new ones.
    """
    return (
        IndexEntry.objects.filter(
            state=IndexEntry.State.PENDING,
            heartbeat_at=None,
            model_version__state__in=ModelVersion.LIVE,
        )
        .exclude(job__state=Job.State.PAUSED)
        .order_by(ExpressionWrapper(Q(embedding__isnull=False), BooleanField()), "pk")
    )


def uncalibrated_versions() -> QuerySet[ModelVersion]:
    """Live versions with an index that is complete, at rest and newer than their calibration."""
    return _newer_than("calibrated_at")


def unmapped_versions() -> QuerySet[ModelVersion]:
    """Live versions with an index that is complete, at rest and newer than their map."""
    heard = IndexEntry.objects.filter(model_version=OuterRef("pk"), embedding__isnull=False)
    return _newer_than("mapped_at").filter(Exists(heard))


def _newer_than(field: str) -> QuerySet[ModelVersion]:
    """Live versions whose index has come to rest after the moment in that field."""
    pending = Count("entries", filter=Q(entries__state=IndexEntry.State.PENDING))
    never = Q((field, None), changed_at__lt=Now() - QUIET_AT_FIRST)
    stale = Q((f"{field}__lt", F("changed_at")), changed_at__lt=Now() - QUIET)
    return (
        live_versions()
        .annotate(waiting=pending, changed_at=Max("entries__indexed_at"))
        .filter(never | stale, waiting=0)
    )


def mapped_entries() -> QuerySet[IndexEntry]:
    """What has a place on the map, which is that of the active version."""
    return IndexEntry.objects.filter(
        model_version__state=ModelVersion.State.ACTIVE,
        x__isnull=False,
        track__withdrawn_at__isnull=True,
    )


def demo_fill() -> DemoFill | None:
    """The demo catalogue's filling while it is under way."""
    alive = Now() - FILL_SILENCE
    return DemoFill.objects.filter(running=True, updated_at__gt=alive).first()


def rollback_target() -> ModelVersion | None:
    """The version that was active before the one that is."""
    retired = ModelVersion.objects.filter(state=ModelVersion.State.RETIRED)
    return retired.order_by("-activated_at").first()


def training_tracks(data: Mapping[str, str]) -> QuerySet[Track]:
    """The catalogue, or what is left of it by soundtrack, genre or subset."""
    wanted = {name: data[name] for name in ("soundtrack", "genre", "subset") if data.get(name)}
    return Track.objects.shown().filter(**wanted).order_by("pk")


def uncompared_entries(version: ModelVersion) -> QuerySet[IndexEntry]:
    """Indexed entries that were not compared with the others for duplicates yet, oldest first."""
    indexed = IndexEntry.objects.filter(
        model_version=version,
        state=IndexEntry.State.INDEXED,
        indexed_at__lt=Now() - SETTLED,
    )
    if version.compared_at is not None:
        indexed = indexed.filter(indexed_at__gt=version.compared_at)
    return indexed.order_by("indexed_at", "pk")
