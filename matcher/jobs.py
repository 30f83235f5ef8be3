"""The life of a job: claimed, advanced, ended, or taken from a worker that fell silent.

The row is the truth. Every write names the state and the attempt that it expects and counts the
rows it touched; no row means that the job belongs to somebody else by now.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from matcher.errors import MatchError
from matcher.models import ENDED, RUNNING, Match, State, Upload
from tracks.models import Track
from tracks.selectors import active_version

if TYPE_CHECKING:
    from tracks.search import Found

logger = logging.getLogger(__name__)

LATELY = timedelta(minutes=10)  # how long having been served puts an owner behind others
NEXT = {
    State.DECODING: State.EXTRACTING,
    State.EXTRACTING: State.ENCODING,
    State.ENCODING: State.SEARCHING,
}


class JobLost(Exception):
    """The row no longer carries this attempt: the job was given to another worker or deleted."""


def claim() -> Upload | None:
    """Take the fairest waiting upload, or None when none waits.

    Owners take turns: fairest is the upload whose owner was served the longest time ago, or not
    lately; among those the oldest. So of any other owner, however many of theirs wait, at most
    one job is claimed before the next upload of yours. `waits.place_of` foretells this order.
    The claim pins the model version that is active now.
    """
    with transaction.atomic():
        waiting = _fairest().select_for_update(skip_locked=True, of=("self",)).first()
        if waiting is None:
            return None
        now = timezone.now()
        taken = Upload.objects.filter(
            pk=waiting.pk, attempt=waiting.attempt, state=State.QUEUED
        ).update(
            state=State.DECODING,
            attempt=F("attempt") + 1,
            attempts_left=F("attempts_left") - 1,
            heartbeat_at=now,
            started_at=now,
            model_version=active_version(),
            stages={State.DECODING: now.isoformat()},
        )
        return Upload.objects.select_related("model_version").get(pk=waiting.pk) if taken else None


def _fairest() -> QuerySet[Upload]:
    lately = Upload.objects.filter(owner=OuterRef("owner"), started_at__gte=timezone.now() - LATELY)
    served = Subquery(lately.order_by("-started_at").values("started_at")[:1])
    return (
        Upload.objects.filter(state=State.QUEUED)
        .annotate(served_at=served)
        .order_by(F("served_at").asc(nulls_first=True), "queued_at", "pk")
    )


def advance(upload: Upload, state: State) -> None:
    """Move a claimed upload from the state it is in to its next one.

    Raises:
        JobLost: the row is no longer in that state under this attempt; nothing was changed.
    """
    current = State(upload.state)
    if NEXT.get(current) is not state:
        raise ValueError(f"{current} is not followed by {state}")
    stages = {**upload.stages, state: timezone.now().isoformat()}
    _write(upload, state=state, stages=stages)
    upload.state, upload.stages = state, stages
    logger.info("upload %s is in %s", upload.pk, state)


def _write(upload: Upload, **changes: Any) -> None:
    touched = Upload.objects.filter(
        pk=upload.pk, attempt=upload.attempt, state=upload.state
    ).update(heartbeat_at=timezone.now(), **changes)
    if not touched:
        raise JobLost(f"upload {upload.pk}, attempt {upload.attempt}, was not {upload.state}")


def finish(upload: Upload, found: Sequence[Found], *, duration: float, **heard: bytes) -> None:
    """Write the matches, closest first, and end the job, in one transaction.

    Args:
        found: closest first.
        duration: of what was asked with, in seconds.
        heard: what is kept of it: `encoding`, `peaks` and `strip`, each as its column has it.

    Raises:
        JobLost: the job belongs to somebody else; nothing was written.
        MatchError: `empty-catalogue`, when every track found was deleted meanwhile.
    """
    with transaction.atomic():
        now = timezone.now()
        _write(upload, state=State.FINISHED, finished_at=now, duration=duration, **heard)
        there = _kept_until_commit(one.track.pk for one in found)
        matches = [
            _match(upload, rank, one)
            for rank, one in enumerate((one for one in found if one.track.pk in there), start=1)
        ]
        if not matches:
            raise MatchError("empty-catalogue", "every track that was found is deleted by now")
        Match.objects.bulk_create(matches)
    upload.state = State.FINISHED
    logger.info("upload %s is answered", upload.pk)


def _kept_until_commit(tracks: Iterable[int]) -> set[int]:
    """Which of the tracks still exist; their rows cannot be deleted before our commit."""
    rows = Track.objects.select_for_update(no_key=True).order_by("pk")
    return set(rows.filter(pk__in=list(tracks)).values_list("pk", flat=True))


def finish_as_before(upload: Upload) -> bool:
    """End a new upload with what the active version found for the same bytes of the same person.

    Nobody hears it again; False, and nothing is written, when there is no such answer.
    """
    version = active_version()
    with transaction.atomic():
        before = (
            Upload.objects.filter(owner=upload.owner, sha256=upload.sha256, state=State.FINISHED)
            .filter(model_version=version)
            .select_for_update()
            .order_by("-finished_at")
            .first()
        )
        matches = list(before.matches.all()) if before and version else []
        there = _kept_until_commit(match.track_id for match in matches)
        if before is None or not there:
            return False
        known = {name: getattr(before, name) for name in ("duration", *Upload.BULKY)}
        ended = {"state": State.FINISHED, "finished_at": timezone.now(), "model_version": version}
        _write(upload, **ended, **known)
        for match in matches:
            match.pk, match.upload = None, upload
        Match.objects.bulk_create(match for match in matches if match.track_id in there)
    upload.state = State.FINISHED
    return True


def _match(upload: Upload, rank: int, found: Found) -> Match:
    return Match(
        upload=upload,
        rank=rank,
        track=found.track,
        score=found.score,
        distance=found.distance,
        same_recording=found.same_recording,
        spans=spans_as_json(found),
        reasons=list(found.reasons),
    )


def spans_as_json(found: Found) -> list[dict[str, list[float]]]:
    """`[{"query": [start, end], "match": [start, end]}]`, in seconds."""
    return [
        {
            "query": [round(span.query_start, 2), round(span.query_end, 2)],
            "match": [round(span.match_start, 2), round(span.match_end, 2)],
        }
        for span in found.spans
    ]


def fail(upload: Upload, code: str, detail: str = "") -> bool:
    """End a claimed job with a code; False when it is no longer ours to end."""
    return bool(
        Upload.objects.filter(pk=upload.pk, attempt=upload.attempt, state__in=RUNNING).update(
            state=State.FAILED,
            error_code=code,
            error_detail=detail,
            finished_at=timezone.now(),
        )
    )


def beat(upload_id: UUID, attempt: int) -> bool:
    """Say that the worker of this attempt is alive; False when the job is no longer its own."""
    return bool(
        Upload.objects.filter(pk=upload_id, attempt=attempt, state__in=RUNNING).update(
            heartbeat_at=timezone.now()
        )
    )


def queue_again(upload: Upload) -> bool:
    """Put an ended upload back in the queue with its attempts renewed; False if it has not ended.

    The caller nudges (services.queue_again does both).
    """
    with transaction.atomic():
        queued = Upload.objects.filter(
            pk=upload.pk, attempt=upload.attempt, state__in=ENDED
        ).update(attempts_left=settings.MAX_ATTEMPTS, **_waiting())
        if queued:
            upload.matches.all().delete()
    return bool(queued)


def give_back_silent() -> list[UUID]:
    """Take running uploads from workers that fell silent.

    Returns:
        The ids of those that wait again; the others had no attempt left and have failed.
    """
    too_old = timezone.now() - timedelta(seconds=settings.HEARTBEAT_TIMEOUT_SECONDS)
    silent = Q(state__in=RUNNING, heartbeat_at__lt=too_old)
    rows = list(Upload.objects.filter(silent).values_list("pk", "attempt", "attempts_left"))
    waiting = []
    for pk, attempt, attempts_left in rows:
        row = Upload.objects.filter(silent, pk=pk, attempt=attempt)
        changes = _waiting() if attempts_left else _lost(attempt)
        if row.update(**changes):
            logger.warning("upload %s fell silent in attempt %d: %s", pk, attempt, changes["state"])
            waiting += [pk] if attempts_left else []
    return waiting


def release_all() -> int:
    """Every running upload waits again, its try given back; for when no worker can be left."""
    running = Upload.objects.filter(state__in=RUNNING)
    return running.update(attempts_left=F("attempts_left") + 1, **_waiting())


def _waiting() -> dict[str, Any]:
    """The fields of a row that waits for its turn."""
    return {
        "state": State.QUEUED,
        "queued_at": timezone.now(),
        "heartbeat_at": None,
        "finished_at": None,
        "error_code": "",
        "error_detail": "",
        "model_version": None,
        "stages": {},
        **dict.fromkeys(Upload.BULKY),  # heard by that version
    }


def _lost(attempt: int) -> dict[str, Any]:
    now: datetime = timezone.now()
    return {
        "state": State.FAILED,
        "error_code": "worker-lost",
        "error_detail": f"no heartbeat in attempt {attempt}",
        "finished_at": now,
    }
