"""Works at imports, a few seconds at a time. Worker only: it decodes.

First every file is looked at, which writes nothing to the catalogue; then, when the owner has seen
that plan and said so, one file after another is put into the catalogue.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from ml.errors import AudioError, SoundError
from tracks import packed
from tracks.heartbeat import Heartbeat
from tracks.importer import Look, look, put, texts_of
from tracks.media import stored_path
from tracks.models import ImportItem, Job, Track, audio_name
from tracks.outage import StoreAwayError
from tracks.probe import probe
from tracks.services import catalogue, imports, jobs
from tracks.services.catalogue import Texts

logger = logging.getLogger(__name__)

STEP_SECONDS = 10.0
State = ImportItem.State


class JobLost(Exception):
    """The job was paused, cancelled, or given to another worker: stop quietly."""


def import_next() -> bool:
    """Takes the oldest waiting import some seconds further; False if none waits."""
    job = jobs.claim(Job.Kind.IMPORT)
    if job is None:
        return False
    with Heartbeat(partial(jobs.beat, job)):
        try:
            imports.forget_half_written(job)
            _step(job)
        except JobLost:
            logger.info("Import %s is no longer ours", job.pk)
        except StoreAwayError as error:
            logger.warning("Import %s goes on later: %s", job.pk, error)
            jobs.step_done(job)
        except SoundError as error:  # of the zip; a single file's stays with its item
            jobs.fail(job, error.code, error.detail)
        except Exception as error:
            logger.exception("Import %s failed", job.pk)
            jobs.fail(job, "internal", type(error).__name__)
    job.refresh_from_db()
    imports.clean(job)
    return True


def _step(job: Job) -> None:
    """Deals with items until the time is over, and then passes the job on."""
    with ExitStack() as stack:
        archive = None
        if "zip" in job.options:
            archive = stack.enter_context(packed.opened(job.options["zip"]))
        if job.options.get("go"):
            over = _work(job, archive, _put, State.CREATE, State.UPDATE)
        else:
            _list(job, archive)
            over = _work(job, archive, _plan, State.WAITING)
    if not over:
        jobs.step_done(job)
    elif job.options.get("go") or not job.items.filter(state__in=ImportItem.PLANNED).exists():
        jobs.finish(job)
    else:
        jobs.planned(job)


def _list(job: Job, archive: ZipFile | None) -> None:
    if job.progress.get("listed"):
        return
    if not imports.list_members(job, packed.members(archive) if archive else ()):
        raise JobLost
    if not job.items.exists():
        raise AudioError("nothing-to-import")


Deal = Callable[[Job, ImportItem, Path], None]


def _work(job: Job, archive: ZipFile | None, deal: Deal, *states: ImportItem.State) -> bool:
    """Deals with items in those states one by one; True when none is left."""
    pace, deadline = _Pace(job), time.monotonic() + STEP_SECONDS
    suspect = job.losses + 1 >= settings.MAX_ATTEMPTS
    while time.monotonic() < deadline:
        item = job.items.filter(state__in=states).first()
        if item is None:
            return True
        if suspect:  # the last workers fell silent on this very file
            _refuse(job, item, "worker-lost")
        else:
            _one(job, archive, item, deal)
        suspect = False
        pace.tell()
    return False


class _Pace:
    """Tells after each item how many seconds were worked at this phase."""

    def __init__(self, job: Job) -> None:
        self._job, self._began = job, time.monotonic()
        same = bool(job.options.get("go")) == bool(job.progress.get("going"))
        self._before = job.progress.get("seconds", 0.0) if same else 0.0

    def tell(self) -> None:
        told = {
            "listed": True,
            "going": bool(self._job.options.get("go")),
            "seconds": self._before + time.monotonic() - self._began,
        }
        if not jobs.tell(self._job, told):
            raise JobLost


def _one(job: Job, archive: ZipFile | None, item: ImportItem, deal: Deal) -> None:
    """One file; what is wrong with it is written to its item and stops nothing."""
    try:
        with _bytes_of(job, archive, item) as path:
            deal(job, item, path)
    except SoundError as error:
        _refuse(job, item, error.code, error.detail)
    except StoreAwayError:
        raise
    except FileNotFoundError:
        _refuse(job, item, "file-missing")
    except OSError as error:
        _refuse(job, item, "unreadable", error.strerror or "")
    except SoftTimeLimitExceeded:
        _refuse(job, item, "time-limit")


@contextmanager
def _bytes_of(job: Job, archive: ZipFile | None, item: ImportItem) -> Iterator[Path]:
    """A path of the item's bytes: a single file, or a member of the zip."""
    if item.stored:
        with stored_path(default_storage, item.stored) as path:
            if path.stat().st_size > settings.UPLOAD_MAX_BYTES:
                most = filesizeformat(settings.UPLOAD_MAX_BYTES)
                raise AudioError("too-large", f"At most {most} are taken here.")
            yield path
        return
    if archive is None:
        raise FileNotFoundError
    with packed.unpacked(archive, item.position - job.options.get("singles", 0)) as path:
        yield path


def _settle(job: Job, item: ImportItem, state: ImportItem.State, **changes: Any) -> None:
    if not imports.settle(job, item, state, **changes):
        raise JobLost


def _refuse(job: Job, item: ImportItem, code: str, detail: str = "") -> None:
    _settle(job, item, State.REFUSED, code=code, detail=detail)


def _plan(job: Job, item: ImportItem, path: Path) -> None:
    """What would become of the file."""
    seen = look(path)
    again = job.items.filter(sha256=seen.sha256, position__lt=item.position).first()
    if again is not None:
        detail = f"The same bytes as {again.name}"
        _settle(job, item, State.SKIPPED, code="duplicate", detail=detail, sha256=seen.sha256)
    elif seen.known is None:
        texts = _texts(job, item, seen)
        _settle(job, item, State.CREATE, detail=_shown(texts), sha256=seen.sha256)
    elif job.options.get("renew", True) and (changes := _changes(seen.known, _renewed(seen))):
        planned = {"detail": changes, "sha256": seen.sha256, "track": seen.known}
        _settle(job, item, State.UPDATE, **planned)
    else:
        known = {"code": "duplicate", "detail": str(seen.known), "track": seen.known}
        _settle(job, item, State.SKIPPED, sha256=seen.sha256, **known)


def _texts(job: Job, item: ImportItem, seen: Look) -> Texts:
    """For a new track: the tags, else the names of file and folder."""
    name = PurePosixPath(item.name)
    source = job.options.get("zip_name", "") if not item.stored else ""
    texts = Texts(title="", source=f"Imported from {source}" if source else "Imported")
    return texts_of(seen.tags, name.name, name.parent.name, texts)


def _shown(texts: Texts) -> str:
    return ", ".join(filter(None, (texts.title, texts.artist, texts.soundtrack)))


def _renewed(seen: Look) -> dict[str, str]:
    """The texts that the tags have for a known track; where they are silent, its own stay."""
    tags = seen.tags
    told = {"title": tags.title, "artist": tags.artist, "soundtrack": tags.album}
    return {name: text for name, text in told.items() if text}


def _changes(track: Track, texts: dict[str, str]) -> str:
    """Which texts would differ, in words."""
    pairs = [(name, getattr(track, name), text) for name, text in texts.items()]
    return ", ".join(f"{name}: {old or '–'} → {new}" for name, old, new in pairs if old != new)


def _put(job: Job, item: ImportItem, path: Path) -> None:
    """The file into the catalogue, in one transaction with the item's last state."""
    seen = look(path)
    if seen.known is None:
        probe(path)
        _create(job, item, path, seen)
    elif item.state == State.UPDATE:
        _update(job, item, seen)
    else:  # somebody else added the same bytes since it was planned
        _settle(job, item, State.SKIPPED, code="duplicate", detail=str(seen.known))


def _create(job: Job, item: ImportItem, path: Path, seen: Look) -> None:
    name = audio_name(Track(), f"track.{seen.ending}")
    # Should this worker be killed, the next one knows which file may be half written.
    if not jobs.tell(job, {**job.progress, "writing": name}):
        raise JobLost
    try:
        with transaction.atomic():
            track, new = put(path, _texts(job, item, seen), name=name)
            imports.record(job, track, new=new)
            _settle(job, item, State.CREATED if new else State.UPDATED, track=track)
    except BaseException:
        imports.forget_half_written(job)
        raise


def _update(job: Job, item: ImportItem, seen: Look) -> None:
    assert seen.known is not None
    with transaction.atomic():
        catalogue.renew(seen.known, _renewed(seen))
        imports.record(job, seen.known, new=False)
        _settle(job, item, State.UPDATED, track=seen.known)
