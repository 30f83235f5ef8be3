"""One site for the live tests that need no other, and a catalogue for it that we composed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from benchmarks.site import Site, fresh_site
from ml.synth import SAMPLE_RATE, compose, render

PIECES = 10


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Without the demo catalogue."""
    with fresh_site() as started:
        yield started


@pytest.fixture(scope="session")
def catalogue(site: Site, tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """Pieces named Piece 0, Piece 1, ... imported and indexed; given back as samples."""
    folder = tmp_path_factory.mktemp("Composed")
    pieces = [render(compose(seed), 40.0) for seed in range(PIECES)]
    for number, samples in enumerate(pieces):
        soundfile.write(folder / f"Piece {number}.flac", samples, SAMPLE_RATE)
    for command in (["import_tracks", str(folder)], ["await_index"]):
        done = site.manage(*command)
        assert done.returncode == 0, done.stderr
    return pieces
