"""`manage.py import_fma`: a folder as the FMA data set is distributed, in small."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from benchmarks.fma import write_features
from ml.fma import MfccTable
from tests.tracks.conftest import song
from tests.tracks.fma_layout import COLUMNS, mp3, write_audio, write_tracks
from tracks.models import Track

pytestmark = pytest.mark.django_db

SMALL = {("set", "split"): "training", ("set", "subset"): "small"}


def run(*arguments: object) -> tuple[str, int]:
    """What the command prints, and its exit status."""
    out = io.StringIO()
    try:
        call_command("import_fma", *map(str, arguments), stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


@pytest.fixture
def fma(tmp_path: Path) -> Path:
    """Two good tracks, a damaged one, a missing one, an empty one, and one of the large set."""
    folder = tmp_path / "fma"
    split, title, artist = ("set", "split"), ("track", "title"), ("artist", "name")
    food = {
        title: "Food",
        artist: "AWOL",
        ("album", "title"): "AWOL - A Way Of Life",
        ("album", "date_released"): "2009-01-05 00:00:00",
        ("album", "information"): '<p>Two lines,\nand a "quote"</p>',
        ("track", "genre_top"): "Hip-Hop",
        ("track", "genres"): "[21, 4]",
        ("track", "license"): "Attribution-NonCommercial-ShareAlike 3.0 International",
    }
    tracks = {
        2: SMALL | food,
        5: SMALL | {title: "夜の街", artist: "Björk Guðmundsdóttir", split: "validation"},
        140: SMALL | {title: "Broken", split: "test"},
        1039: SMALL | {title: "Gone"},
        1040: SMALL | {title: "Empty"},
        155_000: {("set", "subset"): "large", title: "Elsewhere"},
    }
    write_tracks(folder, tracks)
    write_audio(folder, 2, mp3(2))
    write_audio(folder, 5, mp3(5))
    write_audio(folder, 140, song(140)[:200])
    write_audio(folder, 1040, b"")
    return folder


def test_good_tracks_are_imported_and_the_others_reported_with_their_reasons(fma: Path) -> None:
    printed, status = run(fma)
    assert printed.splitlines()[-1] == "2 imported, 3 reported"
    assert status == 1
    for line in (
        "fma_small/000/000140.mp3: damaged: ",
        "fma_small/001/001039.mp3: file-absent: ",
        "fma_small/001/001040.mp3: empty-file: ",
    ):
        assert line in printed
    assert Track.objects.count() == 2


def test_what_the_table_says_of_a_track_is_kept(fma: Path) -> None:
    run(fma)
    food = Track.objects.get(title="Food")
    assert (food.artist, food.soundtrack, food.genre) == ("AWOL", "AWOL - A Way Of Life", "Hip-Hop")
    assert food.licence == "Attribution-NonCommercial-ShareAlike 3.0 International"
    assert (food.year, food.subset) == (2009, "training")
    assert food.source == "FMA data set, track 2"
    town = Track.objects.get(title="夜の街")
    assert (town.artist, town.subset, town.year) == ("Björk Guðmundsdóttir", "validation", None)


def test_tracks_of_sets_that_are_not_there_are_passed_over_with_one_line(fma: Path) -> None:
    printed, _ = run(fma)
    assert f"1 tracks of larger sets than those in {fma} were passed over." in printed
    assert "155000" not in printed


def test_a_second_run_imports_nothing_and_says_why(fma: Path) -> None:
    run(fma)
    before = list(Track.objects.values())
    printed, _ = run(fma)
    assert printed.splitlines()[-1] == "0 imported, 5 reported"
    assert printed.count(": duplicate: ") == 2
    assert list(Track.objects.values()) == before


def test_a_run_that_finds_only_what_is_there_already_is_no_failure(tmp_path: Path) -> None:
    write_tracks(tmp_path, {2: SMALL})
    write_audio(tmp_path, 2, mp3(2))
    assert run(tmp_path)[1] == 0
    printed, status = run(tmp_path)
    assert printed.splitlines()[-1] == "0 imported, 1 reported"
    assert status == 0


def test_the_whole_track_is_taken_before_its_clip(tmp_path: Path) -> None:
    write_tracks(tmp_path, {2: SMALL, 3: {("set", "subset"): "large"}})
    write_audio(tmp_path, 2, mp3(2))
    whole = write_audio(tmp_path, 2, mp3(3), "fma_full")
    printed, _ = run(tmp_path)
    assert Track.objects.get().size == whole.stat().st_size
    assert "fma_full/000/000003.mp3: file-absent: " in printed


def test_a_track_without_a_title_is_called_by_its_number(tmp_path: Path) -> None:
    write_tracks(tmp_path, {2: SMALL | {("track", "date_created"): "2008-11-26 01:48:12"}})
    write_audio(tmp_path, 2, mp3(2))
    run(tmp_path)
    track = Track.objects.get()
    assert (track.title, track.year) == ("Track 2", 2008)


def test_a_row_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    table = write_tracks(tmp_path, {2: SMALL})
    with table.open("a", encoding="utf-8") as file:
        file.write("3,only three,cells\nfour" + "," * len(COLUMNS) + "\n")
    write_audio(tmp_path, 2, mp3(2))
    printed, status = run(tmp_path)
    assert "fma_metadata/tracks.csv: bad-row: This row of the list cannot be read. (line 5)" in (
        printed
    )
    assert "(line 6)" in printed
    assert printed.splitlines()[-1] == "1 imported, 2 reported"
    assert status == 1


def test_a_table_of_other_columns_is_refused_by_the_names_of_those_that_lack(
    tmp_path: Path,
) -> None:
    table = write_tracks(tmp_path, {2: SMALL})
    table.write_text(table.read_text().replace("genre_top", "style"))
    write_audio(tmp_path, 2, mp3(2))
    with pytest.raises(CommandError, match="has no column track genre_top"):
        call_command("import_fma", tmp_path)
    assert not Track.objects.exists()


def test_a_folder_without_the_table_or_without_audio_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file .*tracks\.csv"):
        call_command("import_fma", tmp_path)
    write_tracks(tmp_path, {2: SMALL})
    with pytest.raises(CommandError, match="There is none of fma_full, fma_large"):
        call_command("import_fma", tmp_path)
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("import_fma", tmp_path / "nowhere")


def test_features_only_stores_the_statistics_and_imports_no_track(tmp_path: Path) -> None:
    metadata = tmp_path / "fma_metadata"
    metadata.mkdir()
    write_features(metadata / "features.csv", 20)
    printed, status = run("--features-only", tmp_path)
    stored = metadata / "mfcc.npz"
    assert printed.splitlines()[-1] == f"20 tracks in {stored}, 0 reported"
    assert status == 0
    table = MfccTable.load(stored)
    assert table.track_ids.tolist() == list(range(2, 22))
    assert table.statistics.shape == (20, 140)
    assert table.statistics.dtype == np.float32
    assert not Track.objects.exists()


def test_features_only_reports_rows_that_it_leaves_out(tmp_path: Path) -> None:
    metadata, out = tmp_path / "fma_metadata", tmp_path / "out.npz"
    metadata.mkdir()
    write_features(metadata / "features.csv", 3)
    with (metadata / "features.csv").open("a", encoding="utf-8") as file:
        file.write("99,1.0\n")
    printed, status = run("--features-only", tmp_path, "--out", out)
    assert "track 99: 2 columns in place of 519" in printed
    assert printed.splitlines()[-1] == f"3 tracks in {out}, 1 reported"
    assert status == 1


def test_features_only_without_the_table_or_a_place_to_write_is_said_in_a_sentence(
    tmp_path: Path,
) -> None:
    with pytest.raises(CommandError, match=r"features\.csv: No such file"):
        call_command("import_fma", tmp_path, "--features-only")
    (tmp_path / "fma_metadata").mkdir()
    write_features(tmp_path / "fma_metadata" / "features.csv", 1)
    nowhere = tmp_path / "nowhere" / "out.npz"
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("import_fma", tmp_path, "--features-only", out=nowhere)
