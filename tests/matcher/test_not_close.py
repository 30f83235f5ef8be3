"""When nothing is close, the page says so: by the worker's own code, with the bundled model."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile
from django.test import Client

from matcher import services, tasks, wording
from matcher.models import Upload
from ml.evaluation import speech
from ml.pretrained import DEFAULT
from ml.synth import SAMPLE_RATE, compose, render
from tracks.calibration import calibrate
from tracks.indexing import index_next
from tracks.models import ModelVersion
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model

# Heartbeats are written by threads with connections of their own: they must see the rows.
pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 12.0
TRACKS = 12  # two of each of the synthesiser's styles
TIME = np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
OCTAVES = 9


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, len(TIME))


def sweep() -> np.ndarray:
    """A sine from 20 Hz to 10 kHz, every octave as long as the others."""
    pace = OCTAVES * np.log(2) / SECONDS
    return 0.5 * np.sin(2 * np.pi * 20 * (np.exp(pace * TIME) - 1) / pace)


def voice() -> np.ndarray:
    return 0.1 * speech.voice(SECONDS, SAMPLE_RATE, np.random.default_rng(0))


def another_piece() -> np.ndarray:
    """In the style of two tracks of the catalogue, but none of them."""
    return render(compose(TRACKS + 1), SECONDS)


def sound(samples: np.ndarray) -> ContentFile[bytes]:
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format="FLAC")
    return ContentFile(stream.getvalue(), name="sound.flac")


@pytest.fixture
def catalogue(transactional_db: None) -> ModelVersion:
    """Composed pieces, indexed and calibrated."""
    version, _ = install_model(DEFAULT)
    for seed in range(TRACKS):
        add_track(sound(render(compose(seed), SECONDS)), Texts(f"Piece {seed}"))
    while index_next():
        pass
    assert calibrate(version)
    return version


def asked(owner: Any, samples: np.ndarray) -> Upload:
    upload = services.create_upload(owner, sound(samples))
    tasks.match_upload("an id")
    return Upload.objects.get(pk=upload.pk)


def test_noise_speech_and_a_sweep_read_not_close_where_music_reads_close(
    owner: Any, owner_client: Client, catalogue: ModelVersion
) -> None:
    read = {}
    for question in (noise, voice, sweep, another_piece):
        done = asked(owner, question())
        closest = done.matches.all()[0]
        words = wording.grade(closest.score, same_recording=closest.same_recording)
        page = owner_client.get(done.get_absolute_url()).content.decode()
        assert str(words).capitalize() in page
        read[question.__name__] = words
    assert read == {
        "noise": wording.BEST_BUT_NOT_CLOSE,
        "voice": wording.BEST_BUT_NOT_CLOSE,
        "sweep": wording.BEST_BUT_NOT_CLOSE,
        "another_piece": wording.GRADES[0][1],
    }
