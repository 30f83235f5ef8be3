"""What a person can do with an upload: send it in, queue it again, delete it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from matcher import jobs, nudges
from matcher.errors import UploadError
from matcher.models import HEARD, Match, Upload, random_name
from tracks.models import Track

NAME_LENGTH = 255


class MeasuredFile(File):  # type: ignore[type-arg]
    """A file whose content is hashed and counted while the storage reads it, in one pass.

    Attributes:
        length: bytes read so far.
        sha256: of these bytes.
    """

    def __init__(self, file: File) -> None:  # type: ignore[type-arg]
        super().__init__(file.file, name=file.name)
        self._source = file
        self.length = 0
        self.sha256 = hashlib.sha256()

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Raises UploadError, `too-large`, as soon as one byte too many is seen."""
        for chunk in self._source.chunks(chunk_size):
            self.length += len(chunk)
            if self.length > settings.UPLOAD_MAX_BYTES:
                raise UploadError("too-large", f"more than {settings.UPLOAD_MAX_BYTES} bytes")
            self.sha256.update(chunk)
            yield chunk


def create_upload(owner: User, file: File) -> Upload:  # type: ignore[type-arg]
    """Keep a person's file and queue its job.

    The upload counts as accepted once its row and its file are stored, whether or not a worker
    can be nudged right now: the sweep nudges again.

    Raises:
        UploadError: `empty-file` or `too-large`; nothing is kept then.
    """
    measured = MeasuredFile(file)
    name = random_name()
    try:
        stored = default_storage.save(name, measured)
        if measured.length == 0:
            raise UploadError("empty-file", "0 bytes")
        with transaction.atomic():
            upload = Upload.objects.create(
                owner=owner,
                original_name=shown_name(file.name),
                audio=stored,
                size=measured.length,
                sha256=measured.sha256.hexdigest(),
            )
            transaction.on_commit(partial(nudges.send, upload.pk))
    except BaseException:
        default_storage.delete(name)
        raise
    return upload


def shown_name(name: str | None) -> str:
    """A file's name as its owner will see it again: no folders, nothing unprintable, not empty."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, last)).strip()[:NAME_LENGTH] or "untitled"


def queue_again(upload: Upload) -> bool:
    """Queue an ended upload once more and nudge a worker; False if its job has not ended."""
    with transaction.atomic():
        queued = jobs.queue_again(upload)
        if queued:
            transaction.on_commit(partial(nudges.send, upload.pk))
    return queued


def delete_upload(upload: Upload) -> None:
    """Delete the row, its matches, the questions asked about it and its file.

    A running job stops.
    """
    _delete(Upload.objects.filter(pk=upload.pk))


def delete_all(owner: User) -> int:
    """The same for every upload of a person; returns how many there were."""
    return _delete(Upload.objects.filter(owner=owner))


def _delete(uploads: QuerySet[Upload]) -> int:
    """A worker that is writing an answer is waited for: its matches go with the rest."""
    with transaction.atomic():
        locked = list(uploads.select_for_update().order_by("pk").values_list("pk", flat=True))
        _, rows = Upload.objects.filter(pk__in=locked).defer(*HEARD).delete()
    return rows.get(Upload._meta.label, 0)


def delete_file(instance: Upload, **_signal: object) -> None:
    """The file goes with its row, whoever deletes that, as soon as it is certain."""
    name = str(instance.audio)

    def forget() -> None:  # no partial: Django wants the name of one that fails
        default_storage.delete(name)

    if name:
        transaction.on_commit(forget, robust=True)  # one that fails does not keep the others


def repoint_matches(*, kept: Track, gone: Track, **_signal: object) -> None:
    """Answers that name a track which is merged into another name that one from now on.

    An answer that names both loses the one that goes, with its row.
    """
    theirs = Match.objects.filter(track=kept).values("upload")
    Match.objects.filter(track=gone).exclude(upload__in=theirs).update(track=kept)
