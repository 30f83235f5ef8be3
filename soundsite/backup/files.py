"""What the rows point to: files of the media storage, and artefact folders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import FileField

from ml import artefact
from ml.errors import ArtefactError
from ml.pretrained import DEFAULT
from soundsite.backup.archive import Archive, Version, Writer, digest
from soundsite.backup.database import tables
from soundsite.backup.errors import BackupError
from tracks.artefacts import cache, folder_of, forget_stored, keep
from tracks.models import ImportItem, Job, ModelVersion

BUNDLED = DEFAULT.parent


def media_names() -> list[str]:
    """The storage names of all files that rows point to, sorted."""
    names = {
        name
        for model in tables().values()
        for field in model._meta.local_concrete_fields
        if isinstance(field, FileField)
        for name in model._default_manager.values_list(field.name, flat=True)
    }
    waiting = ImportItem.objects.exclude(job__state__in=Job.ENDED).values_list("stored", flat=True)
    zips = Job.objects.exclude(state__in=Job.ENDED).values_list("options__zip", flat=True)
    return sorted({*names, *waiting, *zips} - {"", None})


def pack_media(writer: Writer, names: list[str]) -> list[str]:
    """Adds the files, and returns the names of those that are gone."""
    gone = []
    for name in names:
        try:
            file = default_storage.open(name, "rb")
        except FileNotFoundError:  # deleted by its owner since the snapshot
            gone.append(name)
            continue
        with file:
            writer.add(f"media/{name}", file, file.size)
    return gone


def unpack_media(archive: Archive, undo: ExitStack) -> None:
    """Puts every file under its name. A file that is there with the same bytes stays."""
    for part in archive.names("media"):
        name = part.removeprefix("media/")
        with archive.open(part) as content:
            if default_storage.exists(name):
                _check_same(name, archive.manifest.parts[part])
                continue
            undo.callback(default_storage.delete, name)
            default_storage.save(name, File(content, name=name))


def _check_same(name: str, sha256: str) -> None:
    with default_storage.open(name, "rb") as there:
        if digest(cast(IO[bytes], there)) != sha256:
            raise BackupError("backup-in-the-way", name)


def home_of(version: ModelVersion) -> str:
    """Whether the version's artefact must be packed, comes with the release, or is not sound."""
    folder = folder_of(version).resolve()
    try:
        artefact.verify(folder, sha256=version.sha256)
    except ArtefactError:
        return ""
    return "bundled" if folder.is_relative_to(BUNDLED) else "archive"


def pack_artefact(writer: Writer, version: ModelVersion) -> None:
    """Adds what the manifest vouches for, and nothing that lies beside it."""
    folder = folder_of(version)
    for name in (artefact.MANIFEST, *artefact.read_manifest(folder)["files"]):
        path = folder / name
        with path.open("rb") as content:
            writer.add(f"artefacts/{version.name}/{name}", content, path.stat().st_size)


def check_bundled(version: Version) -> None:
    """The release that restores must have the weights that the index was made with."""
    folder = BUNDLED / version.name
    try:
        artefact.verify(folder, sha256=version.sha256)
    except ArtefactError as error:
        raise BackupError("backup-model", str(error)) from error


def unpack_artefact(archive: Archive, version: Version, undo: ExitStack) -> Path:
    """The folder of the version below SOUNDSITE_DATA; one with the same contents stays."""
    folder = cache() / Path(version.name).name
    if not folder.exists():
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, path in _files(archive, version, folder):
            with archive.open(name) as content, path.open("wb") as target:
                shutil.copyfileobj(content, target)
    try:
        artefact.verify(folder, sha256=version.sha256)
    except ArtefactError as error:
        raise BackupError("backup-in-the-way", f"{folder}: {error}") from error
    undo.callback(forget_stored, version.sha256)
    keep(folder)
    return folder


def _files(archive: Archive, version: Version, folder: Path) -> Iterator[tuple[str, Path]]:
    """The version's parts, and where they belong; a name never leads out of the folder."""
    top = f"artefacts/{version.name}"
    for part in archive.names(top):
        yield part, folder / Path(part).name
