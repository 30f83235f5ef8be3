"""Artefact folders of model versions: the media store has each, hosts have copies of what they use.

In the store a folder is `artefacts/SHA256/`, with the digest of its manifest; what was fetched from
there is checked against that digest before it is used. The bundled versions come with every release
and are not stored.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from ml import artefact
from ml.errors import ArtefactError
from ml.pretrained import DEFAULT
from tracks.models import ModelVersion
from tracks.outage import StoreAwayError
from tracks.selectors import artefact_folder

logger = logging.getLogger(__name__)


def cache() -> Path:
    """Where this host keeps the folders that it trained or fetched."""
    return Path(settings.SOUNDSITE_DATA) / "artefacts"


def keep(folder: Path) -> None:
    """Puts a copy into the store, where all hosts find it.

    Raises:
        ArtefactError: it is no artefact, or not sound.
        StoreAwayError: the store does not answer.
    """
    if _bundled(folder):
        return
    stored = _stored(artefact.digest(folder))
    for name in (*artefact.verify(folder)["files"], artefact.MANIFEST):
        if not default_storage.exists(f"{stored}/{name}"):
            with (folder / name).open("rb") as content:
                default_storage.save(f"{stored}/{name}", File(content, name=name))


def trained_here(version: ModelVersion) -> bool:
    """Whether the artefact is this installation's own: no other copy of it need exist."""
    return artefact_folder(version).resolve().is_relative_to(cache().resolve())


def _bundled(folder: Path) -> bool:
    return folder.resolve().is_relative_to(DEFAULT.parent)


def folder_of(version: ModelVersion) -> Path:
    """The version's folder on this host: where it was installed from, or this host's copy.

    A copy that is missing or damaged is fetched first.

    Raises:
        StoreAwayError: it is to be fetched, and the store does not answer.
    """
    installed, copy = artefact_folder(version), cache() / version.name
    if installed.is_dir() and installed != copy:
        return installed
    if not _sound(copy, version.sha256):
        _fetch(version.sha256, copy)
    return copy


def _sound(folder: Path, sha256: str) -> bool:
    try:
        artefact.verify(folder, sha256=sha256)
    except ArtefactError:
        return False
    return True


def _fetch(sha256: str, target: Path) -> None:
    """Leaves `target` alone where the store has no sound folder: whoever opens it says why."""
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as parent:
        fresh = Path(parent) / "fresh"
        fresh.mkdir()
        for name in _names(sha256):
            stored = f"{_stored(sha256)}/{name}"
            with default_storage.open(stored) as source, (fresh / name).open("wb") as copy:
                shutil.copyfileobj(source, copy)
        if _sound(fresh, sha256) and not _sound(target, sha256):
            shutil.rmtree(target, ignore_errors=True)
            with suppress(OSError):  # another process of this host was faster
                fresh.rename(target)


def forget(version: ModelVersion) -> None:
    """Removes the store's copy and this host's own; other hosts keep theirs, which nobody reads."""
    if trained_here(version):
        shutil.rmtree(artefact_folder(version), ignore_errors=True)
    try:
        forget_stored(version.sha256)
    except StoreAwayError as error:
        logger.warning("the store keeps the artefact of %s until the night: %s", version, error)


def forget_stored(sha256: str) -> None:
    for name in _names(sha256):
        default_storage.delete(f"{_stored(sha256)}/{name}")


def kept_folders() -> set[str]:
    """The folders of the store that versions need."""
    versions = ModelVersion.objects.exclude(state=ModelVersion.State.ARCHIVED)
    return {_stored(sha256) for sha256 in versions.values_list("sha256", flat=True)}


def _stored(sha256: str) -> str:
    return f"artefacts/{sha256}"


def _names(sha256: str) -> list[str]:
    try:
        return default_storage.listdir(_stored(sha256))[1]
    except FileNotFoundError:  # a folder of a disk that is not there; other stores know no folders
        return []
