"""Takes a track down, and brings it back: its row stays as the trace, its file does not."""

from __future__ import annotations

from typing import Any

from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from tracks.media import ending_of
from tracks.models import DuplicatePair, IndexEntry, Track
from tracks.services import index
from tracks.services.catalogue import digest


def withdraw(track: Track, why: str) -> bool:
    """Out of catalogue, index and answers at once; the file goes once that is certain.

    Returns:
        False if it was withdrawn already.
    """
    with transaction.atomic():
        found = Track.objects.shown().select_for_update().filter(pk=track.pk).first()
        if found is None:
            return False
        storage, name = found.audio.storage, str(found.audio.name)
        Track.objects.filter(pk=track.pk).update(
            withdrawn_at=Now(), withdrawn_why=why, audio="", updated_at=Now()
        )
        IndexEntry.objects.filter(track=track).delete()
        DuplicatePair.objects.filter(
            Q(one=track) | Q(other=track), state=DuplicatePair.State.PROPOSED
        ).delete()
        transaction.on_commit(lambda: storage.delete(name))
    return True


def restore(track: Track, audio: File[Any]) -> bool:
    """Gives a withdrawn track its bytes back and queues it for every live version.

    Returns:
        False if these are not its bytes, or it is not withdrawn any more.
    """
    if digest(audio) != track.sha256:
        return False
    stored = Track(sha256=track.sha256)
    stored.audio.save(f"track.{ending_of(audio)}", audio, save=False)
    with transaction.atomic():
        restored = Track.objects.filter(pk=track.pk, withdrawn_at__isnull=False).update(
            withdrawn_at=None, withdrawn_why="", audio=stored.audio.name, updated_at=Now()
        )
        if restored:
            index.queue_track(track)
    if not restored:
        stored.audio.storage.delete(str(stored.audio.name))
    return bool(restored)
