"""Files of the media store that no row points to: left behind when a process died between both."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from soundsite.backup.files import media_names
from tracks.artefacts import kept_folders

logger = logging.getLogger(__name__)

# A file is stored before its row is written; a younger one may still get it.
GRACE = timedelta(days=1)


def orphans() -> Iterator[str]:
    """Their storage names."""
    # First the files, then the rows: a row that is written meanwhile keeps its file.
    found = list(_files())
    kept, artefacts = set(media_names()), kept_folders()
    unknown = (n for n in found if n not in kept and n.rpartition("/")[0] not in artefacts)
    yield from filter(_old, unknown)


def _files(folder: str = "") -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored, or the folder went just now
        return
    for name in names:
        yield f"{folder}/{name}" if folder else name
    for name in folders:
        yield from _files(f"{folder}/{name}" if folder else name)


def _old(name: str) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - GRACE
    except FileNotFoundError:  # its owner has deleted it just now
        return False


def remove_orphans() -> int:
    """Deletes them and returns how many there were."""
    found = list(orphans())
    for name in found:
        default_storage.delete(name)
    if found:
        logger.warning("removed %d files that no row points to", len(found))
    return len(found)
