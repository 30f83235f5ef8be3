"""What people say of matches: kept, taken back, moved to the track that remains of two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from matcher.models import Feedback, Match, Upload, Verdict
from tracks.models import Track

NOT_A_FILE = ("span", "like", "unlike")  # of a question that is about something else than a file


def say(match: Match, verdict: Verdict | None) -> None:
    """Keep what the upload's owner says of a match, in the place of an earlier word; None: unsay.

    It is kept under the model version that made the match, so the upload has one.
    """
    upload = match.upload
    what: dict[str, Any] = {
        "user_id": upload.owner_id,
        "upload": upload,
        "model_version_id": upload.model_version_id,
        "track_id": match.track_id,
    }
    if verdict is None:
        Feedback.objects.filter(**what).delete()
        return
    said = {"verdict": verdict, "query_sha256": _file_of(upload), "said_at": timezone.now()}
    Feedback.objects.update_or_create(**what, defaults=said)


def _file_of(upload: Upload) -> str:
    """Digest of the one whole file that was asked about; empty where it was something else."""
    if upload.sha256 or upload.parent is None or set(NOT_A_FILE) & set(upload.question):
        return upload.sha256
    return _file_of(upload.parent)


def verdicts_of(upload: Upload) -> dict[int, str]:
    """By track, what its owner said of an upload's matches under the version that answered."""
    said = Feedback.objects.filter(
        user=upload.owner_id, upload=upload, model_version=upload.model_version_id
    )
    return dict(said.values_list("track", "verdict"))


def lines(feedback: QuerySet[Feedback]) -> Iterator[tuple[str, str, str]]:
    """(digest of the query, digest of the track, verdict), of whole files alone, the oldest first.

    What `python -m ml.evaluate --feedback` reads. It names no person.
    """
    known = feedback.exclude(query_sha256="").order_by("said_at", "pk")
    for query, track, verdict in known.values_list("query_sha256", "track__sha256", "verdict"):
        yield query, track, verdict.lower()


def repoint(*, kept: Track, gone: Track, **_signal: object) -> None:
    """Words on a track that is merged into another are about that one from now on.

    A person who judged both in one answer loses the word on the one that goes, with its row.
    """
    theirs = Feedback.objects.filter(
        track=kept,
        user=OuterRef("user"),
        upload=OuterRef("upload"),
        model_version=OuterRef("model_version"),
    )
    Feedback.objects.filter(~Exists(theirs), track=gone).update(track=kept)
