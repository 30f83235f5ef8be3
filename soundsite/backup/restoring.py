"""Restores a backup into an empty installation."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, transaction

import matcher.jobs
from matcher.models import Upload
from soundsite.backup import database, files
from soundsite.backup.archive import Archive, Manifest, opened
from soundsite.backup.errors import BackupError
from tracks.models import DemoFill, Job, ModelVersion, Track
from tracks.services import index, jobs
from tracks.services.versions import location_of, make_search_index


def restore(path: Path) -> Manifest:
    """Checks the whole file, then brings back all of it or nothing.

    Raises:
        BackupError: the file or this installation will not do; nothing was changed.
    """
    with opened(path) as archive:
        _check_release(archive.manifest)
        call_command("migrate", interactive=False, verbosity=0)
        with ExitStack() as undo:
            with transaction.atomic(durable=True), connection.cursor() as cursor:
                database.lock(cursor)
                _check_empty()
                _load(cursor, archive)
                _place(archive, undo)
            undo.pop_all()  # the rows are there for good, and so are their files
        return archive.manifest


def _check_release(manifest: Manifest) -> None:
    """Rows fit only the tables that they were read from."""
    theirs, ours = set(manifest.migrations), set(database.migrations())
    if theirs != ours:
        between = ", ".join(sorted(theirs ^ ours))
        raise BackupError("backup-release", f"Soundsite {manifest.soundsite}; between: {between}")
    for version in manifest.versions:
        if version.home == "bundled":
            files.check_bundled(version)


def _check_empty() -> None:
    """What a person or a model of one's own has left here. The bundled model is no such thing."""
    found = {
        "users": get_user_model().objects.count(),
        "tracks": Track.objects.count(),
        "uploads": Upload.objects.count(),
        "jobs": Job.objects.count(),
        "model versions of its own": sum(
            files.home_of(version) != "bundled" for version in ModelVersion.objects.all()
        ),
    }
    if any(found.values()):
        told = ", ".join(f"{count} {name}" for name, count in found.items() if count)
        raise BackupError("backup-not-empty", told)


def _load(cursor: Any, archive: Archive) -> None:
    """All rows, then what is derived from them; what a worker had in hand waits again."""
    database.clear(cursor)
    for name, model in database.tables().items():
        count = database.load(cursor, model, archive.open(f"database/{name}.copy.gz"))
        if count != archive.manifest.rows[name]:
            raise BackupError("backup-damaged", f"{name}: {count} rows")
    database.reset_sequences(cursor)
    matcher.jobs.release_all()
    jobs.release_all()
    index.release_all()
    DemoFill.objects.update(running=False)
    for version in archive.manifest.versions:
        if version.has_index:
            make_search_index(ModelVersion.objects.get(pk=version.pk))


def _place(archive: Archive, undo: ExitStack) -> None:
    """The files; artefact folders may lie elsewhere than they did."""
    for version in archive.manifest.versions:
        if version.home == "archive":
            folder = files.unpack_artefact(archive, version, undo)
            row = ModelVersion.objects.filter(pk=version.pk)
            row.update(location=location_of(folder))
        elif version.home == "bundled":
            row = ModelVersion.objects.filter(pk=version.pk)
            row.update(location=location_of(files.BUNDLED / version.name))
    files.unpack_media(archive, undo)
