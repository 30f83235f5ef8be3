"""A site to be backed up, and what it looks like before and after."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection

from matcher import services, tasks
from matcher.matching import match_file
from matcher.models import State, Upload
from ml.pretrained import DEFAULT
from soundsite.backup import database
from tests.tracks.conftest import song
from tracks.indexing import index_next
from tracks.models import ModelVersion
from tracks.selectors import active_version
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """The data folder of the installation."""
    settings.SOUNDSITE_DATA = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "data" / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path / "data"


@dataclass(frozen=True)
class Asked:
    """A file that is asked about before and after."""

    path: Path

    def answer(self) -> list[tuple[Any, ...]]:
        found = match_file(self.path, active_version()).found
        return [(one.track.pk, one.distance, one.score, one.spans) for one in found]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    (tmp_path / "asked.ogg").write_bytes(song(2, "OGG", 8.0))
    return Asked(tmp_path / "asked.ogg")


@pytest.fixture
def site(owner: Any, asked: Asked) -> ModelVersion:
    """Four tracks indexed by the bundled model, and an upload that was answered."""
    version = install_model(DEFAULT)[0]
    for seed in range(4):
        add_track(ContentFile(song(seed, seconds=8.0)), Texts(f"Song {seed}\t\\N", "Ünï"))
    while index_next():
        pass
    services.create_upload(owner, ContentFile(asked.path.read_bytes(), name="what.ogg"))
    tasks.match_upload("an id")
    assert Upload.objects.get().state == State.FINISHED
    return version


@pytest.fixture
def backup(tmp_path: Path) -> Callable[..., Path]:
    def made(name: str = "site.tar", **options: Any) -> Path:
        call_command("backup", str(tmp_path / name), stdout=io.StringIO(), **options)
        return tmp_path / name

    return made


def restored(file: Path) -> dict[str, Any]:
    out = io.StringIO()
    call_command("restore", str(file), "--json", stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def lose_everything(data: Path) -> None:
    """The machine is gone: an installation as `migrate` and `install_model` leave it."""
    shutil.rmtree(data, ignore_errors=True)
    with connection.cursor() as cursor:
        database.clear(cursor)
    call_command("migrate", verbosity=0)
    install_model(DEFAULT)


def rows() -> dict[str, list[Any]]:
    """All rows of all tables that are kept."""
    models = database.tables().items()
    return {name: sorted(model._base_manager.values_list()) for name, model in models}


def stored(data: Path) -> dict[str, bytes]:
    media = data / "media"
    files = [path for path in media.rglob("*") if path.is_file()]
    return {str(path.relative_to(media)): path.read_bytes() for path in files}
