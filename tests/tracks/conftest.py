"""Songs of our own synthesiser, a folder for the media, and a version without weights."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import soundfile
from django.core.files.base import ContentFile

from ml import artefact
from ml.synth import SAMPLE_RATE, compose, render
from tests.tracks.import_steps import zipped
from tracks import nudge
from tracks.models import ModelVersion, Track
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model

DIMENSIONS = 8


@cache
def song(seed: int, kind: str = "FLAC", seconds: float = 3.0) -> bytes:
    """An audio file of a piece that no other seed has."""
    stream = io.BytesIO()
    soundfile.write(stream, render(compose(seed), seconds), SAMPLE_RATE, format=kind)
    return stream.getvalue()


@pytest.fixture
def three() -> bytes:
    """Three songs in a zip."""
    return zipped({f"Kit/{seed}.flac": song(seed) for seed in range(3)})


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Nudges, which here go into a list and not to a broker."""
    messages: list[tuple[str, int]] = []
    monkeypatch.setattr(nudge, "send", lambda task, *ids: messages.append((task, *ids)))
    return messages


@pytest.fixture
def add(db: None) -> Callable[..., Track]:
    """Adds the song of that seed to the catalogue."""

    def added(seed: int, **texts: str) -> Track:
        texts = {"title": f"Song {seed}", **texts}
        return add_track(ContentFile(song(seed)), Texts(**texts))[0]

    return added


@pytest.fixture
def artefact_folder(tmp_path: Path) -> Callable[[str], Path]:
    """A folder with the manifest of a model, but no weights."""

    def written(name: str, **more: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        artefact.write_manifest(folder, {"name": name, "embedding_dim": DIMENSIONS, **more})
        return folder

    return written


@pytest.fixture
def version(db: None, artefact_folder: Callable[[str], Path]) -> ModelVersion:
    """The active version."""
    return install_model(artefact_folder("listener-1"))[0]
