"""The worker's side with the bundled model: songs are heard, fail with their reason, are found."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.site import wait_until
from ml.audio import Waveform
from ml.encoding import Encoding
from ml.errors import ArtefactError
from ml.peaks import COLUMNS
from ml.pretrained import DEFAULT
from ml.synth import compose, render
from tests.tracks.elsewhere import held_elsewhere
from tracks import calibration, indexing, runtime, tasks
from tracks.heartbeat import Heartbeat
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import nearest
from tracks.services import index
from tracks.services.versions import install_model

pytestmark = pytest.mark.django_db
State = IndexEntry.State


@pytest.fixture(autouse=True)
def no_heartbeat(settings: Any) -> None:
    """A heartbeat's own connection would wait for the locks of the test's transaction."""
    settings.HEARTBEAT_SECONDS = 600


@pytest.fixture
def listener(db: None) -> ModelVersion:
    """The bundled model as the active version."""
    return install_model(DEFAULT)[0]


def index_all() -> None:
    while indexing.index_next():
        pass


def test_a_song_is_indexed_with_its_codes_and_a_vector_of_unit_length(
    listener: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    assert indexing.index_next()
    entry = track.entries.get()
    assert (entry.state, entry.error_code) == (State.INDEXED, "")
    assert np.linalg.norm(entry.embedding) == pytest.approx(1.0, abs=1e-2)
    encoding = Encoding.from_bytes(entry.heard)
    assert encoding.duration == pytest.approx(3.0, abs=0.1)
    assert len(encoding.embedding) == listener.embedding_dim
    assert entry.tempo == encoding.facts["tempo"] > 0
    assert not indexing.index_next()


def test_a_song_is_indexed_with_its_waveform_and_the_picture_of_its_codes(
    listener: ModelVersion, add: Callable[..., Track]
) -> None:
    track = add(1)
    assert indexing.index_next()
    entry = track.entries.get()
    assert entry.peaks is not None
    assert len(bytes(entry.peaks)) == 2 * COLUMNS
    assert max(bytes(entry.peaks)[:COLUMNS]) == 255
    assert entry.strip is not None
    with Image.open(io.BytesIO(bytes(entry.strip))) as picture:
        assert picture.width == len(Encoding.from_bytes(entry.heard).codes)


def test_a_broken_song_fails_with_its_code_and_stops_no_other(
    listener: ModelVersion, add: Callable[..., Track]
) -> None:
    broken, missing, fine = add(1), add(2), add(3)
    with broken.audio.storage.open(str(broken.audio.name), "wb") as file:
        file.write(b"fLaC and nothing more")
    missing.audio.storage.delete(str(missing.audio.name))
    index_all()
    states = IndexEntry.objects.order_by("pk").values_list("track", "state", "error_code")
    assert list(states) == [
        (broken.pk, State.FAILED, "damaged"),
        (missing.pk, State.FAILED, "file-missing"),
        (fine.pk, State.INDEXED, ""),
    ]


def test_weights_that_were_changed_are_not_loaded_and_the_entry_says_so(
    artefact_folder: Callable[..., Path], add: Callable[..., Track]
) -> None:
    folder = artefact_folder("tampered")
    install_model(folder)
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + " ")
    track = add(1)
    assert indexing.index_next()
    assert track.entries.get().error_code == "artefact-digest"


def test_an_error_that_nobody_foresaw_fails_the_entry_and_not_the_worker(
    listener: ModelVersion, add: Callable[..., Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(path: Path) -> Waveform:
        raise ZeroDivisionError("in a decoder")

    monkeypatch.setattr(indexing, "probe", explode)
    track = add(1)
    assert indexing.index_next()
    entry = track.entries.get()
    assert (entry.error_code, entry.error_detail) == ("internal", "ZeroDivisionError")


def test_a_model_is_loaded_once_a_process(listener: ModelVersion) -> None:
    assert runtime.load(listener) is runtime.load(listener)
    with pytest.raises(ArtefactError):
        runtime.load(ModelVersion(location="nowhere", sha256="0" * 64))


def test_one_message_hears_the_oldest_song_and_sends_the_next_message(
    listener: ModelVersion, add: Callable[..., Track], sent: list[Any]
) -> None:
    first, second = add(1), add(2)
    tasks.index_entry(second.entries.get().pk)
    assert first.entries.get().state == State.INDEXED
    assert sent == [(index.INDEX_TASK, second.entries.get().pk)]
    tasks.index_entry(second.entries.get().pk)
    tasks.index_entry(second.entries.get().pk)  # a message too many does nothing
    assert second.entries.get().state == State.INDEXED
    assert len(sent) == 1


def test_an_excerpt_finds_its_own_song_and_a_deleted_one_is_no_longer_found(
    listener: ModelVersion, add: Callable[..., Track]
) -> None:
    tracks = [add(seed) for seed in range(6)]
    index_all()
    model = runtime.load(listener)
    excerpt = Waveform(render(compose(4), 3.0)[11_025:])
    query = model.encode(model.features(excerpt))
    found = nearest(listener, query, k=3)
    assert found[0].track == tracks[4]
    assert len(found) == 3
    assert [match.distance for match in found] == sorted(match.distance for match in found)
    tracks[4].delete()
    assert tracks[4] not in [match.track for match in nearest(listener, query, k=10)]


def test_calibration_keeps_the_distance_of_each_song_to_its_nearest_other(
    listener: ModelVersion, add: Callable[..., Track]
) -> None:
    tracks = [add(seed) for seed in range(4)]
    index_all()
    assert calibration.calibrate(listener)
    listener.refresh_from_db()
    own = [
        nearest(listener, Encoding.from_bytes(track.entries.get().heard), k=1, exclude=track)
        for track in tracks
    ]
    assert listener.nearest_distances == pytest.approx(sorted(one.distance for (one,) in own))
    latest = IndexEntry.objects.order_by("indexed_at").last()
    assert latest is not None
    assert listener.calibrated_at == latest.indexed_at


def test_a_calibration_stops_in_time_and_keeps_what_it_has(
    listener: ModelVersion, add: Callable[..., Track], settings: Any
) -> None:
    add(1), add(2)
    index_all()
    settings.MATCH_SOFT_LIMIT_SECONDS = -1
    assert calibration.calibrate(listener)
    listener.refresh_from_db()
    assert listener.nearest_distances == []


@pytest.mark.django_db(transaction=True)
def test_two_calibrations_of_one_version_do_not_run_at_once(version: ModelVersion) -> None:
    with held_elsewhere(calibration._alone(version)):
        assert not calibration.calibrate(version)
    assert calibration.calibrate(version)


@pytest.mark.django_db(transaction=True)
def test_a_heart_beats_while_the_worker_is_busy_and_no_longer(
    version: ModelVersion, add: Callable[..., Track], settings: Any
) -> None:
    settings.HEARTBEAT_SECONDS = 0.02
    add(1)
    entry = index.claim()
    assert entry is not None

    def last() -> Any:
        return IndexEntry.objects.get(pk=entry.pk).heartbeat_at

    with Heartbeat(lambda: index.beat(entry)):
        first = last()
        assert wait_until(lambda: last() > first)
    assert index.fail(entry, "silent", "")
    assert last() is None


@pytest.mark.django_db(transaction=True)
def test_a_beat_that_waits_for_a_lock_does_not_hold_up_the_job(settings: Any) -> None:
    settings.HEARTBEAT_SECONDS = 0.02
    beating, free = threading.Event(), threading.Event()

    def beat() -> bool:
        beating.set()
        return free.wait(10)

    with Heartbeat(beat) as heart:
        assert beating.wait(10)
    assert heart._thread.is_alive()
    free.set()
    wait_until(lambda: not heart._thread.is_alive())


@pytest.mark.django_db(transaction=True)
def test_a_heart_stops_once_the_entry_is_somebody_elses(settings: Any) -> None:
    settings.HEARTBEAT_SECONDS = 0.01
    beats: list[bool] = []

    def beat() -> bool:
        beats.append(True)
        return len(beats) < 3

    with Heartbeat(beat) as heart:
        wait_until(lambda: not heart._thread.is_alive())
    assert len(beats) == 3
