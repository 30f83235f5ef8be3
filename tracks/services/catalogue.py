"""Writes of the catalogue: add a track by its audio file, delete it with all that hangs on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from ml.errors import AudioError
from tracks.media import ending_of
from tracks.models import Track, audio_name
from tracks.services import index


@dataclass(frozen=True)
class Texts:
    """What people know about a track."""

    title: str
    artist: str = ""
    soundtrack: str = ""
    genre: str = ""
    year: int | None = None
    licence: str = ""
    subset: str = ""
    source: str = ""
    source_url: str = ""
    generated: bool = False


def digest(audio: File[Any]) -> str:
    """SHA-256 of the file's bytes, in hexadecimal; the file is left at its start."""
    hashed = hashlib.sha256()
    for chunk in audio.chunks():
        hashed.update(chunk)
    audio.seek(0)
    return hashed.hexdigest()


def add_track(audio: File[Any], texts: Texts, *, name: str = "") -> tuple[Track, bool]:
    """Adds the file to the catalogue, or gives its texts to the track that has these bytes.

    The file is stored under a random name, or that of the caller, who made it with `audio_name`;
    entries are PENDING for every live model version.

    Returns:
        The track, and whether it is new.

    Raises:
        AudioError: `not-audio`, by the file's first bytes, or `withdrawn`.
    """
    ending = ending_of(audio)
    if ending is None:
        raise AudioError("not-audio", "The first bytes are of no audio format that is read here.")
    sha256 = digest(audio)
    known = _known(sha256, texts)
    if known:
        return known, False
    track = Track(sha256=sha256, size=audio.size, **asdict(texts))
    place = name or audio_name(track, f"track.{ending}")
    track.audio.name = track.audio.storage.save(place, audio)
    try:
        with transaction.atomic():
            track.save()
            index.queue_track(track)
    except IntegrityError:
        _discard(track)
        known = _known(sha256, texts)  # somebody added the same bytes a moment before
        if known is None:
            raise
        return known, False
    except BaseException:
        _discard(track)
        raise
    return track, True


def _known(sha256: str, texts: Texts) -> Track | None:
    """The track with these bytes, with its texts renewed and its missing entries queued.

    Raises:
        AudioError: `withdrawn`; what was taken down is not brought back by an import.
    """
    with transaction.atomic():
        track = Track.objects.select_for_update().filter(sha256=sha256).first()
        if track is None:
            return None
        if track.withdrawn_at:
            raise AudioError("withdrawn", track.withdrawn_why)
        renew(track, asdict(texts))
        index.queue_track(track)
    return track


def renew(track: Track, texts: Mapping[str, Any]) -> None:
    """Gives a track some other texts; those that are not named stay."""
    for name, value in texts.items():
        setattr(track, name, value)
    track.save(update_fields=[*texts, "updated_at"])


def _discard(track: Track) -> None:
    """Removes the stored file of a track that was not saved."""
    track.audio.storage.delete(str(track.audio.name))


def delete_track(track: Track) -> None:
    """Deletes the row with its index entries, and the file once that is certain."""
    storage, name = track.audio.storage, str(track.audio.name)
    with transaction.atomic():
        track.delete()
        if name:  # a withdrawn track has no file
            transaction.on_commit(lambda: storage.delete(name))


def edit_texts(track: Track, texts: Mapping[str, Any]) -> list[str]:
    """Writes those of the texts that differ and returns their names."""
    changed = {name: value for name, value in texts.items() if getattr(track, name) != value}
    if changed:
        Track.objects.filter(pk=track.pk).update(**changed, updated_at=Now())
    return list(changed)
