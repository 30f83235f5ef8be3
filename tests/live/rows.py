"""Rows for the tour, made in the site's Django from one answered upload: each state of a page.

The tracks that are made here could not be heard, as their index entries say, so that no worker
hears them and no other test finds them; `forget` deletes all of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from matcher.models import Match, Share, State, Upload
from tracks.models import IndexEntry, ModelVersion, Track

LONG = "The Long Road from the Mountain Pass to the Harbour, " * 5
DAY = timedelta(days=1)
ASKED = {"filters": {"seconds_to": 600.0}, "span": [2.0, 14.0]}


def make(upload_id: str, tourist: str) -> None:
    """Prints `name=path` for each state; nothing in it has a space."""
    EmailAddress.objects.filter(user__username=tourist).update(verified=True)
    done = Upload.objects.get(pk=upload_id)
    answers = _answers(done)
    made: dict[str, Upload | Share] = {
        **answers,
        **_shares(answers["close"]),
        "queued": _upload(done, state=State.QUEUED, finished_at=None),
        "running": _running(done),
        "damaged": _upload(done, state=State.FAILED, error_code="damaged"),
        "worker-lost": _upload(done, state=State.FAILED, error_code="worker-lost"),
    }
    track = done.matches.get(rank=2).track
    print(
        f"track={track.get_absolute_url()}",
        *(f"{k}={v.get_absolute_url()}" for k, v in made.items()),
    )


def _answers(done: Upload) -> dict[str, Upload]:
    long, gone = (
        _track("long", title=LONG[:250]),
        _track("gone", audio="", withdrawn_at=timezone.now()),
    )
    names = {"artist": LONG[:120], "soundtrack": LONG[:150], "licence": LONG[:90]}
    Track.objects.filter(pk=long.pk).update(**names)
    bare: dict[str, Any] = {"spans": [], "reasons": []}
    close, far = {"score": 82.0, "same_recording": False}, {"score": 3.0, "same_recording": False}
    return {
        "close": _answered(done, 1, close),
        "not-close": _answered(done, 1, far, original_name="A sine sweep.wav"),
        "same-recording": _answered(done, 1, {"same_recording": True}),
        "long-names": _answered(
            done, 1, close | {"track": long}, original_name=LONG[:240] + ".mp3"
        ),
        "without-pictures": _answered(done, 1, close | bare, peaks=None, strip=None),
        "withdrawn": _answered(done, 2, {"track": gone}),
        "question": _answered(done, 1, close, parent=done, audio="", size=0, question=ASKED),
        "nothing-left": _answered(done, 1, {"track": gone}, only=True),
    }


def _shares(upload: Upload) -> dict[str, Share]:
    """Links to an answer: an open one, and one that was revoked."""
    revoked = Share.objects.create(upload=upload, revoked_at=timezone.now())
    return {"shared": Share.objects.create(upload=upload), "share-ended": revoked}


def _answered(
    done: Upload, rank: int, changes: dict[str, Any], *, only: bool = False, **more: Any
) -> Upload:
    """A copy of an answered upload, whose match of that rank is changed and may be the only one."""
    upload = _upload(done, **more)
    for match in done.matches.all():
        if only and match.rank != rank:
            continue
        match.pk, match.upload, match._state.adding = None, upload, True
        for name, value in (changes if match.rank == rank else {}).items():
            setattr(match, name, value)
        match.save()
    return upload


def _running(done: Upload) -> Upload:
    """Its heart has beaten in the future, so that nobody takes it for lost."""
    then = timezone.now() + DAY
    times = {"heartbeat_at": then, "started_at": timezone.now(), "finished_at": None}
    return _upload(done, state=State.ENCODING, **times)


def _upload(done: Upload, **changes: Any) -> Upload:
    copy = Upload.objects.get(pk=done.pk)
    copy.pk, copy._state.adding = Upload._meta.pk.get_default(), True
    for name, value in {"queued_at": timezone.now(), **changes}.items():
        setattr(copy, name, value)
    copy.save()
    return copy


def _track(word: str, **fields: Any) -> Track:
    """A track with the sound of another one; its hash is that of no file."""
    heard = Track.objects.filter(entries__state="INDEXED").first()
    assert heard is not None
    values = {"title": f"A track that is {word}", "sha256": word.encode().hex().rjust(64, "0")}
    same = {"audio": heard.audio.name, "size": heard.size, "duration": heard.duration}
    track = Track.objects.create(**values | same | fields)
    failed = {"state": IndexEntry.State.FAILED, "error_code": "silent"}
    for version in ModelVersion.objects.all():
        IndexEntry.objects.create(track=track, model_version=version, **failed)
    return track


def forget(upload_id: str) -> None:
    """Delete the upload, its copies, which share its file, and the tracks that were made."""
    done = Upload.objects.get(pk=upload_id)
    Upload.objects.filter(owner=done.owner).delete()
    Match.objects.filter(track__sha256__startswith="0" * 40).delete()
    Track.objects.filter(sha256__startswith="0" * 40).delete()
