"""A small catalogue of composed pieces, and something that sounds like one of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from benchmarks.site import Site
from ml.synth import SAMPLE_RATE, compose, render

PIECES, SECONDS = 12, 60.0


def compare(site: Site, folder: Path) -> Path:
    """Pieces for the site's catalogue; gives back an excerpt of one of them."""
    music = folder / "Composed"
    music.mkdir()
    pieces = [render(compose(seed), SECONDS) for seed in range(PIECES)]
    for number, samples in enumerate(pieces):
        soundfile.write(music / f"Piece {number}.flac", samples, SAMPLE_RATE)
    for command in (["import_tracks", str(music)], ["await_index"]):
        done = site.manage(*command)
        if done.returncode:
            raise SystemExit(done.stderr)
    excerpt = folder / "something I heard.flac"
    noise = np.random.default_rng(0).normal(size=len(pieces[3])) * 0.003
    soundfile.write(excerpt, pieces[3] + noise, SAMPLE_RATE)
    return excerpt
