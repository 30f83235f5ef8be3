"""A model version's whole life in a browser, on a site of its own, while somebody uploads."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from benchmarks import browser, versions
from benchmarks.site import fresh_site
from ml.synth import SAMPLE_RATE, compose, render

pytestmark = [pytest.mark.live, pytest.mark.browser]
SMALL = {"width": 8, "latent_dim": 4, "codebooks": 2, "codebook_size": 16}


def test_a_version_is_trained_by_two_workers_measured_indexed_activated_and_rolled_back(
    tmp_path: Path,
) -> None:
    tracks = [tmp_path / f"Soundtrack {seed}" / f"Piece {seed}.flac" for seed in (1, 2)]
    for seed, track in enumerate(tracks):
        track.parent.mkdir()
        soundfile.write(track, render(compose(seed), 30.0), SAMPLE_RATE)
    with fresh_site() as site, browser.window() as page:
        versions.fill(site, tracks)
        uploads = versions.Uploads(site, tracks[0])
        versions.walk(page, site, uploads, epochs=2, overrides=SMALL)
        attempts = site.ask(
            "from tracks.models import Job; print(Job.objects.get(kind='TRAIN').attempt)"
        )
        version = site.ask(
            "from tracks.models import ModelVersion; "
            "print(len(ModelVersion.objects.get(name='mine').manifest['training']['history']['loss']))"
        )
    assert uploads.failed == []
    assert set(uploads.answered) == {"soundsite-1", "mine"}
    assert (attempts, version) == (["2"], ["2"])
