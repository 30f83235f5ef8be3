"""Backups of a site whose media lie on an S3-compatible store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soundsite.backup import archive as archives
from tests.soundsite.backup.conftest import Asked, lose_everything, restored, rows, stored
from tests.stores import Store
from tracks.models import ModelVersion

# A snapshot begins with its transaction, and heartbeats have connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_site_moves_from_a_folder_into_a_store_and_is_kept_from_there(
    site: ModelVersion,
    asked: Asked,
    data: Path,
    backup: Callable[..., Path],
    s3_server: Store,
    settings: Any,
) -> None:
    before, files, file = (rows(), asked.answer()), stored(data), backup()
    lose_everything(data)
    settings.STORAGES = s3_server.storages(settings)
    restored(file)
    assert (rows(), asked.answer()) == before
    assert s3_server.names() == sorted(files)
    assert stored(data) == {}
    with archives.opened(backup("again.tar")) as archive:
        assert archive.names("media") == [f"media/{name}" for name in sorted(files)]
    s3_server.empty()
