"""The whole road from a file to an answer, with the bundled model: task and command agree."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from matcher import services, tasks
from matcher.models import State, Upload
from ml import evaluate
from ml.encoding import Encoding
from ml.peaks import COLUMNS
from ml.pretrained import DEFAULT
from ml.reasons import LEAST
from ml.synth import SAMPLE_RATE, compose, render
from tracks.indexing import index_next
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import nearest
from tracks.services.catalogue import Texts, add_track
from tracks.services.versions import install_model

# Heartbeats are written by threads with connections of their own: they must see the rows.
pytestmark = pytest.mark.django_db(transaction=True)


@cache
def piece(seed: int) -> np.ndarray:
    return render(compose(seed), 24.0)


def sound(samples: np.ndarray, kind: str = "FLAC") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format=kind)
    return stream.getvalue()


def excerpt(seed: int) -> bytes:
    """Ten seconds from the middle, half as loud, through a lossy codec."""
    samples = piece(seed)[7 * SAMPLE_RATE : 17 * SAMPLE_RATE]
    return sound(0.5 * samples, "OGG")


@pytest.fixture
def model(transactional_db: None) -> ModelVersion:
    """The bundled model version, active."""
    return install_model(DEFAULT)[0]


@pytest.fixture
def catalogue(model: ModelVersion) -> list[Track]:
    """Five composed pieces, indexed by the bundled model."""
    texts = [Texts(f"Piece {seed}", "The synthesiser", "Synthesised") for seed in range(5)]
    tracks = [
        add_track(ContentFile(sound(piece(seed)), name="piece.flac"), text)[0]
        for seed, text in enumerate(texts)
    ]
    while index_next():
        pass
    return tracks


def matched(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command("match", *arguments, stdout=out, **options)
    return out.getvalue()


def refused(*arguments: Any, **options: Any) -> str:
    """What the command says on standard error when it ends with status 1."""
    err = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("match", *arguments, stderr=err, **options)
    assert end.value.code == 1
    return err.getvalue()


def test_an_excerpt_is_answered_with_the_piece_it_was_cut_from(
    owner: Any, catalogue: list[Track]
) -> None:
    services.create_upload(owner, ContentFile(excerpt(3), name="what is this.ogg"))
    tasks.match_upload("an id")
    done = Upload.objects.get()
    assert (done.state, done.error_code) == (State.FINISHED, "")
    assert done.duration == pytest.approx(10, abs=0.2)
    assert [match.rank for match in done.matches.all()] == [1, 2, 3, 4, 5]
    assert done.matches.all()[0].track == catalogue[3]


def test_what_was_heard_is_kept_with_the_answer_and_its_reasons(
    owner: Any, catalogue: list[Track]
) -> None:
    services.create_upload(owner, ContentFile(excerpt(3), name="what is this.ogg"))
    tasks.match_upload("an id")
    done = Upload.objects.get()
    heard = Encoding.from_bytes(bytes(done.encoding or b""))
    assert heard.duration == done.duration
    assert len(bytes(done.peaks or b"")) == 2 * COLUMNS
    assert bytes(done.strip or b"").startswith(b"\x89PNG")
    reasons = done.matches.all()[0].reasons
    assert 1 <= len(reasons) <= 3
    assert [each["strength"] for each in reasons] == sorted(
        (each["strength"] for each in reasons), reverse=True
    )
    for each in reasons:
        assert {"code", "yours", "theirs", "strength"} <= set(each)
        assert LEAST < each["strength"] <= 1


def test_the_task_and_the_command_give_the_same_answer(
    owner: Any, catalogue: list[Track], tmp_path: Path
) -> None:
    file = tmp_path / "excerpt.ogg"
    file.write_bytes(excerpt(1))
    services.create_upload(owner, ContentFile(file.read_bytes(), name=file.name))
    tasks.match_upload("an id")
    stored = [
        (match.track.title, round(match.distance, 6), match.spans, match.reasons)
        for match in Upload.objects.get().matches.select_related("track")
    ]
    printed = json.loads(matched(file, "--json"))["matches"]
    assert stored == [
        (one["title"], one["distance"], one["spans"], one["reasons"]) for one in printed
    ]


def test_the_evaluation_ranks_the_same_files_as_the_site_does(
    model: ModelVersion, catalogue: list[Track], tmp_path: Path
) -> None:
    for seed in range(5):
        folder = tmp_path / "music" / ("even" if seed % 2 == 0 else "odd")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"Piece {seed}.flac").write_bytes(sound(piece(seed)))
    ranks = tmp_path / "ranks.csv"
    options = ["--model", str(DEFAULT), "--proxies", "1", "--cache", str(tmp_path / "cache")]
    assert evaluate.main([str(tmp_path / "music"), *options, "--ranks", str(ranks)]) == 0
    with ranks.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for track in catalogue:
        entry = IndexEntry.objects.get(track=track, model_version=model)
        found = nearest(model, Encoding.from_bytes(entry.heard), exclude=track)
        told = [row for row in rows if Path(row["query"]).stem == track.title]
        assert [answer.track.title for answer in found] == [Path(r["track"]).stem for r in told]
        for answer, row in zip(found, told, strict=True):
            assert answer.distance == pytest.approx(float(row["distance"]), rel=1e-3, abs=1e-5)


def test_the_command_prints_json_for_programs(
    model: ModelVersion, catalogue: list[Track], tmp_path: Path
) -> None:
    file = tmp_path / "excerpt.ogg"
    file.write_bytes(excerpt(2))
    answer = json.loads(matched(file, "-k", "2", "--json"))
    assert answer["query"]["file"] == "excerpt.ogg"
    assert answer["model_version"] == model.name
    assert [match["rank"] for match in answer["matches"]] == [1, 2]
    first = answer["matches"][0]
    assert (first["title"], first["artist"]) == ("Piece 2", "The synthesiser")
    assert first["soundtrack"] == "Synthesised"
    assert 0 <= first["score"] <= 100
    for span in first["spans"]:
        assert len(span["query"]) == len(span["match"]) == 2


def test_the_command_prints_a_table_for_people(catalogue: list[Track], tmp_path: Path) -> None:
    file = tmp_path / "excerpt.ogg"
    file.write_bytes(excerpt(2))
    table = matched(file)
    assert "excerpt.ogg (0:10) sounds like" in table
    assert table.index("Piece 2") < table.index("Piece 1")
    assert "1  " in table.partition("Why:")[2]


def test_a_catalogue_without_tracks_is_said_with_its_code(
    model: ModelVersion, tmp_path: Path
) -> None:
    file = tmp_path / "excerpt.ogg"
    file.write_bytes(excerpt(2))
    assert json.loads(refused(file, "--json"))["error"] == "empty-catalogue"


def test_without_a_model_the_command_says_so(tmp_path: Path) -> None:
    file = tmp_path / "excerpt.ogg"
    file.write_bytes(excerpt(2))
    assert refused(file).startswith("no-model: ")


def test_a_file_that_is_no_audio_is_refused_with_its_code(
    version: ModelVersion, tmp_path: Path
) -> None:
    file = tmp_path / "song.mp3"
    file.write_text("only words")
    assert refused(file).startswith("not-audio: ")
    assert json.loads(refused(file, "--json"))["error"] == "not-audio"


def test_a_file_that_is_not_there_is_refused_by_name(version: ModelVersion, tmp_path: Path) -> None:
    assert str(tmp_path / "nothing.mp3") in refused(tmp_path / "nothing.mp3")


@pytest.mark.parametrize("count", ["0", "51", "many"])
def test_only_as_many_matches_as_are_ranked_can_be_asked_for(count: str) -> None:
    with pytest.raises(CommandError, match="-k"):
        call_command("match", "song.mp3", "-k", count)
