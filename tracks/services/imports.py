"""Every write of an import: its bytes into the storage, its items' states, its end.

An item's state is written only by the worker that holds the job, in one transaction with what the
state tells of; the job's row is locked meanwhile, so that nobody can take the job over in between.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import islice
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from tracks.models import ImportItem, Job, Track
from tracks.outage import StoreAwayError
from tracks.packed import Member, label_of, may_be_music
from tracks.services import jobs

logger = logging.getLogger(__name__)

State = ImportItem.State
FOLDER = "imports"
# What no job knows of after so long was left by a request that died.
FORGOTTEN = timedelta(days=1)
BATCH = 500


def start(
    files: Sequence[File[Any]], archive: File[Any] | None, *, owner: User, renew: bool = True
) -> Job:
    """Keeps the bytes under random names and makes the job that will look at them.

    Args:
        files: single files of music; what by its ending is none is passed over.
        archive: a zip of more, whose members a worker lists.
        renew: whether tracks that are known get the texts of their files' tags.
    """
    named = [(label_of(file.name or "") or "unnamed", file) for file in files]
    music = [(name, file) for name, file in named if may_be_music(name)]
    with _kept([file for _, file in music], archive) as (stored, zipped), transaction.atomic():
        options: dict[str, Any] = {"renew": renew, "singles": len(music)}
        if archive is not None:
            options |= {"zip": zipped, "zip_name": label_of(archive.name or "")}
        job = jobs.create(
            Job.Kind.IMPORT, _title(len(music), archive), owner=owner, options=options
        )
        ImportItem.objects.bulk_create(
            ImportItem(job=job, position=place, name=name, stored=name_there)
            for place, ((name, _), name_there) in enumerate(zip(music, stored, strict=True))
        )
    return job


def _title(singles: int, archive: File[Any] | None) -> str:
    parts = [label_of(archive.name or "")] if archive is not None else []
    if singles or not parts:
        parts.append("1 file" if singles == 1 else f"{singles} files")
    return f"Import of {' and '.join(parts)}"[:200]


@contextmanager
def _kept(files: Sequence[File[Any]], archive: File[Any] | None) -> Iterator[tuple[list[str], str]]:
    """The names under which the bytes are stored; they go again when the block fails."""
    names: list[str] = []
    try:
        for file in [*files, *([archive] if archive is not None else [])]:
            names.append(default_storage.save(f"{FOLDER}/{uuid.uuid4().hex}", file))
        yield names[: len(files)], names[-1] if archive is not None else ""
    except BaseException:
        with suppress(StoreAwayError):  # the sweep finds them tomorrow
            for name in names:
                default_storage.delete(name)
        raise


def list_members(job: Job, members: Iterable[Member]) -> bool:
    """Makes the items of a zip, in batches; done again after a loss, it makes none twice.

    Returns:
        False when the job is no longer the caller's.
    """
    first = job.options.get("singles", 0)
    items = (
        ImportItem(job=job, position=first + member.place, name=member.label) for member in members
    )
    while batch := list(islice(items, BATCH)):
        ImportItem.objects.bulk_create(batch, ignore_conflicts=True)
        if not jobs.beat(job):
            return False
    return jobs.tell(job, {**job.progress, "listed": True})


def settle(job: Job, item: ImportItem, state: ImportItem.State, **changes: Any) -> bool:
    """Moves an item on from the state in which the caller has it.

    Returns:
        False when the job or the item is no longer the caller's; nothing is written then.
    """
    with transaction.atomic():
        if not jobs.beat(job):
            return False
        mine = ImportItem.objects.filter(pk=item.pk, state=item.state)
        moved = mine.update(state=state, **changes) == 1
    return moved


def record(job: Job, track: Track, *, new: bool) -> None:
    """A line in the track's history, in the name of the import's owner."""
    if job.owner_id is None:
        return
    LogEntry.objects.create(
        user_id=job.owner_id,
        content_type=ContentType.objects.get_for_model(Track),
        object_id=str(track.pk),
        object_repr=str(track)[:200],
        action_flag=ADDITION if new else CHANGE,
        change_message=f"{'Added' if new else 'Changed'} by {job.title}.",
    )


def forget_half_written(job: Job) -> None:
    """Removes the file that a lost worker was writing, unless a track has it."""
    name = job.progress.get("writing", "")
    if name and not Track.objects.filter(audio=name).exists():
        default_storage.delete(name)


def clean(job: Job) -> None:
    """Removes the bytes that an import which has ended was made from."""
    if not job.ended:
        return
    stored = job.items.exclude(stored="")
    for name in [*stored.values_list("stored", flat=True), job.options.get("zip", "")]:
        if name:
            default_storage.delete(name)
    forget_half_written(job)
    stored.update(stored="")
    kept = {name: value for name, value in job.options.items() if name != "zip"}
    Job.objects.filter(pk=job.pk).update(options={**kept, "cleaned": True})
    job.refresh_from_db()


def sweep() -> None:
    """Removes what ended imports and dead requests have left."""
    ended = Job.objects.filter(kind=Job.Kind.IMPORT, state__in=Job.ENDED)
    try:
        for job in ended.exclude(options__has_key="cleaned"):
            clean(job)
        for name in _forgotten():
            default_storage.delete(name)
    except StoreAwayError as error:
        logger.warning("what dead imports have left is removed later: %s", error)


def _forgotten() -> list[str]:
    """Files older than a day that belong to no import."""
    try:
        _, names = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return []
    if not names:
        return []
    until = timezone.now() - FORGOTTEN
    known = set(ImportItem.objects.exclude(stored="").values_list("stored", flat=True))
    zips = Job.objects.filter(kind=Job.Kind.IMPORT, options__has_key="zip")
    known |= set(zips.values_list("options__zip", flat=True))
    unknown = (name for name in (f"{FOLDER}/{name}" for name in names) if name not in known)
    return [name for name in unknown if default_storage.get_modified_time(name) < until]
