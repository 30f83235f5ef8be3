"""What a person can do with an upload: send it in, ask about it, queue it again, delete it."""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from matcher import jobs, nudges, question_words, questions, quotas
from matcher.errors import LoadError, UploadError
from matcher.models import Match, Upload, random_name
from matcher.questions import Question, Span, question_of
from tracks.filters import NO_FILTERS, Filters
from tracks.models import Track
from tracks.outage import StoreAwayError

logger = logging.getLogger(__name__)

NAME_LENGTH = 255
ROOM_SECONDS = 300  # until a store that is full may have room again
AWAY_SECONDS = 15  # until one that does not answer may be back


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

    What the active version has answered for the same bytes of this person is the answer at once.
    The upload counts as accepted once its row and its file are stored, whether or not a worker
    can be nudged right now: the sweep nudges again.

    Raises:
        UploadError: `empty-file` or `too-large`; nothing is kept then.
        LoadError: `storage-full`, `storage-away`, or see `quotas.check_file`; nothing is kept then
            either.
    """
    quotas.check_file(owner, file.size)  # before a busy site writes it down
    measured = MeasuredFile(file)
    name = random_name()
    try:
        stored = default_storage.save(name, measured)
        if measured.length == 0:
            raise UploadError("empty-file", "0 bytes")
        with transaction.atomic():
            quotas.lock(owner)
            quotas.check_file(owner, measured.length)
            quotas.count_file(owner)
            upload = Upload.objects.create(
                owner=owner,
                original_name=shown_name(file.name),
                audio=stored,
                size=measured.length,
                sha256=measured.sha256.hexdigest(),
            )
            if not jobs.finish_as_before(upload):
                transaction.on_commit(partial(nudges.send, upload.pk))
        logger.info("upload %s was taken in: %d bytes", upload.pk, upload.size)
    except BaseException as error:
        with suppress(StoreAwayError):  # what is left there is removed at night
            default_storage.delete(name)
        if (refusal := _refusal(error)) is not None:
            logger.error("an upload was refused: %s", error)
            raise refusal from error
        raise
    return upload


def _refusal(error: BaseException) -> LoadError | None:
    """What somebody is told whose file the store could not take."""
    if isinstance(error, StoreAwayError):
        return LoadError("storage-away", str(error), AWAY_SECONDS)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LoadError("storage-full", str(error), ROOM_SECONDS)
    return None


def shown_name(name: str | None) -> str:
    """A file's name as its owner will see it again: no folders, nothing unprintable, not empty."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    shown = printable(last)
    return shown if shown.strip(".") else "untitled"


def printable(name: str) -> str:
    """A name without control characters, cut to what a row holds."""
    return "".join(filter(str.isprintable, name)).strip()[:NAME_LENGTH]


def ask(
    owner: User,
    *,
    parent: Upload | None = None,
    like: Sequence[Track] = (),
    unlike: Sequence[Track] = (),
    span: Span | None = None,
    filters: Filters = NO_FILTERS,
) -> Upload:
    """Queue a question that needs no file of its own, and nudge a worker.

    Args:
        parent: an ended upload of the owner, whose sound is compared. Where it is a question
            itself, the upload and the tracks that it asks about are meant.
        like: tracks to be like, together with the parent's sound if there is a parent.
        unlike: tracks to be away from.
        span: start and end, in seconds, of the only stretch of the parent that counts.
        filters: what the tracks that are found must fit.

    Raises:
        UploadError: nothing-asked, not-ended, bad-span, short-span, bad-filters, too-many-seeds
            or both-ways; nothing is kept then.
        LoadError: queue-full or too-many-jobs.
    """
    question = Question(filters, span, _pks(like), _pks(unlike))
    if parent is not None and not parent.audio:
        parent, question = _meant(parent, question)
    questions.check(question, parent)
    if parent is not None and question.span is not None:
        question = replace(question, span=questions.within(question.span, parent.duration))
    titles = {track.pk: track.title for track in Track.objects.filter(pk__in=question.seeds)}
    return _queue(owner, parent, question, question_words.name(question, titles, parent))


def _pks(tracks: Sequence[Track]) -> tuple[int, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(track.pk for track in tracks))


def _meant(asked: Upload, question: Question) -> tuple[Upload | None, Question]:
    """What a question about a question is about."""
    before = question_of(asked)
    if not question.seeds:
        question = replace(question, like=before.like, unlike=before.unlike)
    return asked.parent, question


def _queue(owner: User, parent: Upload | None, question: Question, name: str) -> Upload:
    with transaction.atomic():
        quotas.lock(owner)
        quotas.check_job(owner)
        upload = Upload.objects.create(
            owner=owner,
            parent=parent,
            question=question.as_json(),
            original_name=printable(name),
            size=0,
        )
        transaction.on_commit(partial(nudges.send, upload.pk))
    return upload


def queue_again(upload: Upload) -> bool:
    """Queue an ended upload once more and nudge a worker; False if its job has not ended."""
    with transaction.atomic():
        queued = jobs.queue_again(upload)
        if queued:
            transaction.on_commit(partial(nudges.send, upload.pk))
    return queued


def try_again(upload: Upload) -> bool:
    """The same for its owner, who may be told to wait. Raises LoadError as `ask` does."""
    with transaction.atomic():
        quotas.lock(upload.owner)
        quotas.check_job(upload.owner)
        return queue_again(upload)


def delete_upload(upload: Upload) -> None:
    """Delete the row, its matches, the questions asked about it and its file.

    A running job stops.
    """
    delete_uploads(Upload.objects.filter(pk=upload.pk))


def delete_all(owner: User) -> int:
    """The same for every upload of a person; returns how many there were."""
    return delete_uploads(Upload.objects.filter(owner=owner))


def delete_uploads(uploads: QuerySet[Upload]) -> int:
    """The same for any; a worker that is writing an answer is waited for, its matches go, too."""
    with transaction.atomic():
        locked = list(uploads.select_for_update().order_by("pk").values_list("pk", flat=True))
        _, rows = Upload.objects.filter(pk__in=locked).defer(*Upload.BULKY).delete()
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
