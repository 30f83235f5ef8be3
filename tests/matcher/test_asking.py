"""How a worker answers questions, with the bundled model and pieces of the synthesiser."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile
from django.utils import timezone

from matcher import jobs, services, tasks
from matcher.models import State, Upload
from ml.audio import Waveform
from ml.encoding import Encoding
from ml.model import Model
from ml.pretrained import DEFAULT
from ml.synth import SAMPLE_RATE, compose, render
from tracks.filters import Filters
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
SECONDS = 24.0
PIECES = 5


@cache
def piece(seed: int) -> np.ndarray:
    return render(compose(seed), SECONDS)


@cache
def loaded() -> Model:
    return Model.load(DEFAULT)


@cache
def heard(seed: int) -> Encoding:
    return loaded().encode(loaded().features(Waveform(piece(seed), SAMPLE_RATE)))


def sound(samples: np.ndarray) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format="FLAC")
    return stream.getvalue()


@pytest.fixture
def version(db: None) -> ModelVersion:
    """The bundled model version, active."""
    return install_model(DEFAULT)[0]


@pytest.fixture
def tracks(version: ModelVersion) -> list[Track]:
    """Five composed pieces as the bundled model hears them; every other one is rock."""
    return [_track(version, seed) for seed in range(PIECES)]


def _track(version: ModelVersion, seed: int) -> Track:
    track = Track.objects.create(
        title=f"Piece {seed}",
        genre="Rock" if seed % 2 else "Ambient",
        audio=f"tracks/{seed}.flac",
        sha256=f"{seed:064x}",
        size=1,
        duration=SECONDS,
    )
    IndexEntry.objects.create(
        track=track,
        model_version=version,
        state=IndexEntry.State.INDEXED,
        embedding=heard(seed).embedding.tolist(),
        encoding=heard(seed).to_bytes(),
        peaks=b"peaks of a track",
        tempo=100.0 + seed,
        indexed_at=timezone.now(),
    )
    return track


@pytest.fixture
def mashup(owner: Any, tracks: list[Track]) -> Upload:
    """An answered upload: twelve seconds of piece 1, then twelve of piece 3."""
    half = int(12 * SAMPLE_RATE)
    samples = np.concatenate([piece(1)[:half], piece(3)[half : 2 * half]])
    services.create_upload(owner, ContentFile(sound(samples), name="mashup.flac"))
    return run_next()


def run_next() -> Upload:
    """Claims and answers the next upload, as the task does between two heartbeats."""
    upload = jobs.claim()
    assert upload is not None
    tasks.run(upload)
    return Upload.objects.get(pk=upload.pk)


def answer_of(upload: Upload) -> list[Track]:
    assert (upload.state, upload.error_code, upload.error_detail) == (State.FINISHED, "", "")
    return [match.track for match in upload.matches.all()]


def test_a_filtered_question_about_an_upload_is_answered_by_what_fits(
    owner: Any, mashup: Upload, tracks: list[Track]
) -> None:
    services.ask(owner, parent=mashup, filters=Filters(genre="Ambient", tempo_to=103))
    done = run_next()
    assert set(answer_of(done)) == {tracks[0], tracks[2]}
    assert done.duration == pytest.approx(24.0, abs=0.1)
    assert bytes(done.peaks or b"") == bytes(mashup.peaks or b"?")


def test_a_question_is_answered_from_what_was_heard_before_not_from_the_file(
    owner: Any, mashup: Upload, tracks: list[Track]
) -> None:
    mashup.audio.storage.delete(str(mashup.audio))
    services.ask(owner, parent=mashup)
    assert answer_of(run_next()) == answer_of(mashup)


@pytest.mark.parametrize(("start", "closest"), [(0.0, 1), (12.0, 3)])
def test_a_stretch_of_an_upload_finds_the_piece_it_came_from_in_seconds_of_the_whole(
    owner: Any, mashup: Upload, tracks: list[Track], start: float, closest: int
) -> None:
    services.ask(owner, parent=mashup, span=(start, start + 12))
    done = run_next()
    assert answer_of(done)[0] == tracks[closest]
    first = done.matches.all()[0]
    assert first.spans
    for span in first.spans:
        assert start <= span["query"][0] < span["query"][1] <= start + 12.5
        assert span["query"][0] == pytest.approx(span["match"][0], abs=1.5)


def test_an_upload_that_another_version_heard_is_heard_again(
    owner: Any, mashup: Upload, tracks: list[Track]
) -> None:
    Upload.objects.update(model_version=_older_version(), encoding=b"of another version")
    services.ask(owner, parent=mashup, span=(12, 24))
    assert answer_of(run_next())[0] == tracks[3]


def _older_version() -> ModelVersion:
    return ModelVersion.objects.create(
        name="older", location="nowhere", sha256="0" * 64, manifest={}, embedding_dim=4
    )


def test_an_upload_whose_file_is_gone_and_that_must_be_heard_again_says_so(
    owner: Any, mashup: Upload
) -> None:
    mashup.audio.storage.delete(str(mashup.audio))
    Upload.objects.update(encoding=None)
    services.ask(owner, parent=mashup)
    assert run_next().error_code == "file-missing"


def test_one_track_finds_what_is_like_it_but_not_itself(owner: Any, tracks: list[Track]) -> None:
    services.ask(owner, like=[tracks[2]])
    done = run_next()
    assert set(answer_of(done)) == {*tracks} - {tracks[2]}
    assert bytes(done.peaks or b"") == b"peaks of a track"


def test_several_tracks_find_the_others_and_an_unlike_one_is_no_answer(
    owner: Any, tracks: list[Track]
) -> None:
    services.ask(owner, like=tracks[:2], unlike=tracks[2:3])
    done = run_next()
    assert set(answer_of(done)) == set(tracks[3:])
    assert [match.spans for match in done.matches.all()] == [[], []]


def test_an_upload_and_a_track_together_are_asked_about_at_once(
    owner: Any, mashup: Upload, tracks: list[Track]
) -> None:
    services.ask(owner, parent=mashup, like=tracks[:1])
    assert set(answer_of(run_next())) == set(tracks[1:])


def test_filters_that_no_track_fits_end_the_question_with_their_own_code(
    owner: Any, mashup: Upload, tracks: list[Track]
) -> None:
    services.ask(owner, parent=mashup, filters=Filters(artist="Nobody"))
    assert run_next().error_code == "nothing-fits"


def test_seeds_that_were_withdrawn_since_are_passed_over(owner: Any, tracks: list[Track]) -> None:
    services.ask(owner, like=tracks[:2])
    Track.objects.filter(pk=tracks[0].pk).update(audio="", withdrawn_at=timezone.now())
    assert tracks[1] not in answer_of(run_next())


def test_when_no_seed_is_left_the_question_says_so(owner: Any, tracks: list[Track]) -> None:
    services.ask(owner, like=tracks[:1])
    tracks[0].delete()
    assert run_next().error_code == "seeds-gone"


def test_a_seed_that_was_not_heard_yet_ends_the_question_with_a_code_of_ours(
    owner: Any, tracks: list[Track]
) -> None:
    IndexEntry.objects.filter(track=tracks[1]).delete()
    services.ask(owner, like=tracks[:2])
    assert run_next().error_code == "seeds-unheard"


def test_without_an_active_model_a_question_ends_with_our_code(
    owner: Any, tracks: list[Track], version: ModelVersion
) -> None:
    services.ask(owner, like=tracks[:1])
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    assert run_next().error_code == "no-model"


def test_a_question_whose_upload_is_deleted_while_it_runs_ends_quietly(
    owner: Any, mashup: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    services.ask(owner, parent=mashup)
    claimed = jobs.claim()
    assert claimed is not None
    Upload.objects.all().delete()
    tasks.run(claimed)
    assert not Upload.objects.exists()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_question_can_be_asked_again(owner: Any, tracks: list[Track]) -> None:
    services.ask(owner, like=tracks[:1], filters=Filters(genre="Rock"))
    before = answer_of(run_next())
    assert services.queue_again(Upload.objects.get())
    assert answer_of(run_next()) == before
    assert before
