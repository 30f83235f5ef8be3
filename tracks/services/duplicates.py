"""Writes of pairs that hold the same recording: proposed by a worker, decided by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from tracks import nudge
from tracks.models import DuplicatePair, ModelVersion, Track
from tracks.selectors import active_version, uncompared_entries, waiting_entries
from tracks.services.catalogue import delete_track
from tracks.signals import merging

DUPLICATES_TASK = "tracks.tasks.find_duplicates"

State = DuplicatePair.State


def propose(
    one: Track, other: Track, *, strength: float, spans: Sequence[dict[str, list[float]]]
) -> bool:
    """Proposes a pair once and for all: one that was decided on is not proposed again.

    Args:
        strength: of the alignment.
        spans: `{"one": [s, s], "other": [s, s]}`, in seconds.
    """
    if one.pk > other.pk:
        one, other = other, one
        spans = [{"one": span["other"], "other": span["one"]} for span in spans]
    longest = max((span["one"][1] - span["one"][0] for span in spans), default=0.0)
    figures = {"strength": strength, "seconds": longest, "spans": list(spans)}
    with transaction.atomic():
        both = (
            Track.objects.shown()
            .order_by("pk")
            .select_for_update()
            .filter(pk__in=[one.pk, other.pk])
        )
        if len(both) < 2:  # deleted or withdrawn meanwhile
            return False
        _, created = DuplicatePair.objects.get_or_create(one=one, other=other, defaults=figures)
    return created


def keep_both(pair: DuplicatePair) -> bool:
    """PROPOSED -> KEPT; False when another has decided."""
    kept = DuplicatePair.objects.filter(pk=pair.pk, state=State.PROPOSED)
    return kept.update(state=State.KEPT, decided_at=Now()) == 1


@transaction.atomic
def merge(pair: DuplicatePair, kept: Track) -> bool:
    """Deletes the other of the two, and with it the pair; False when another has decided.

    Whoever refers to the one that goes hears of it and may refer to the one that is kept.
    """
    proposed = DuplicatePair.objects.select_for_update().filter(pk=pair.pk, state=State.PROPOSED)
    if not proposed.exists():
        return False
    gone = pair.other if kept.pk == pair.one_id else pair.one
    _inherit(kept, gone)
    merging.send(sender=Track, kept=kept, gone=gone)
    delete_track(gone)
    return True


def _inherit(kept: Track, gone: Track) -> None:
    """What was proposed of, or decided on, the one that goes holds for the one that is kept."""
    for pair in DuplicatePair.objects.filter(Q(one=gone) | Q(other=gone)):
        third = pair.other_id if pair.one_id == gone.pk else pair.one_id
        one, other = sorted((kept.pk, third))
        if one != other:
            figures: dict[str, Any] = {"state": pair.state, "decided_at": pair.decided_at}
            figures |= {"strength": pair.strength, "seconds": pair.seconds}
            DuplicatePair.objects.get_or_create(one_id=one, other_id=other, defaults=figures)


def compared(version: ModelVersion, upto: datetime) -> bool:
    """Says that every entry indexed until then was looked at; False when another is at it."""
    mine = ModelVersion.objects.filter(pk=version.pk, compared_at=version.compared_at)
    version.compared_at = upto
    return mine.update(compared_at=upto) == 1


def sweep() -> None:
    """Nudges where indexed tracks were not looked at yet; indexing itself goes first."""
    version = active_version()
    if version and not waiting_entries().exists() and uncompared_entries(version).exists():
        nudge.after_commit(DUPLICATES_TASK, version.pk)
