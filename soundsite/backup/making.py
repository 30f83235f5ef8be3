"""Makes a backup while the site runs."""

from __future__ import annotations

import os
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db.models import Model

from soundsite.backup import database, files
from soundsite.backup.archive import Manifest, Version, Writer
from soundsite.backup.errors import BackupError
from tracks.models import ModelVersion
from tracks.services.versions import search_index


def make_file(target: Path, *, force: bool = False) -> Manifest:
    """Writes the backup to a file that only its owner may read, whole or not at all.

    Raises:
        BackupError: `backup-exists`, `backup-write` or `backup-unmigrated`.
    """
    if target.exists() and not force:
        raise BackupError("backup-exists", str(target))
    part = target.with_name(f"{target.name}.part")
    try:
        manifest = _write(part)
        part.replace(target)
    except OSError as error:
        raise BackupError("backup-write", f"{target}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(part: Path) -> Manifest:
    part.unlink(missing_ok=True)  # of a backup that was killed
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        manifest = make(stream, part.parent)
        stream.flush()
        os.fsync(stream.fileno())
    return manifest


def make(stream: IO[bytes], work: Path | None = None) -> Manifest:
    """Writes the backup to a stream; tables lie in the folder `work` for a moment.

    Rows are those of one moment. Files never change under their names, so those that the rows of
    that moment point to are copied after it; one that was deleted since is told as missing.
    """
    database.check_migrated()
    writer = Writer(stream)
    with database.snapshot() as cursor:
        about = database.server_versions(cursor)
        rows = {
            name: _pack(cursor, model, writer, work) for name, model in database.tables().items()
        }
        names, kept = files.media_names(), list(ModelVersion.objects.order_by("pk"))
        indices = database.search_indices(cursor)
    versions = [_version(one, indices, writer) for one in kept]
    manifest = Manifest(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        soundsite=_release(),
        migrations=database.migrations(),
        rows=rows,
        versions=versions,
        missing=_lost(kept, versions) + files.pack_media(writer, names),
        parts=writer.parts,
        **about,
    )
    writer.close(manifest)
    return manifest


def _pack(cursor: Any, model: type[Model], writer: Writer, work: Path | None) -> int:
    """A tar says how long a part is before the part begins."""
    with tempfile.TemporaryFile(dir=work) as spool:
        count = database.dump(cursor, model, spool)
        size = spool.tell()
        spool.seek(0)
        writer.add(f"database/{model._meta.db_table}.copy.gz", spool, size)
    return count


def _version(version: ModelVersion, indices: set[str], writer: Writer) -> Version:
    home = files.home_of(version)
    if home == "archive":
        files.pack_artefact(writer, version)
    has_index = search_index(version.pk) in indices
    return Version(version.pk, version.name, version.sha256, home, has_index)


def _lost(kept: list[ModelVersion], versions: list[Version]) -> list[str]:
    """Artefact folders that should be there: a version in training or archived has none."""
    without = (ModelVersion.State.TRAINING, ModelVersion.State.ARCHIVED)
    return [
        row.location
        for row, version in zip(kept, versions, strict=True)
        if not version.home and row.state not in without
    ]


def _release() -> str:
    text = (Path(settings.BASE_DIR) / "pyproject.toml").read_text()
    return str(tomllib.loads(text)["project"]["version"])
