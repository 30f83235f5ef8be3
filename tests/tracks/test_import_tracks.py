"""`manage.py import_tracks`: takes what is music, tells why it does not take the rest."""

from __future__ import annotations

import io
from pathlib import Path

import mutagen.id3
import pytest
from django.core.management import CommandError, call_command

from tests.tracks.conftest import song
from tracks.models import Track

pytestmark = pytest.mark.django_db


def run(folder: Path) -> tuple[str, int]:
    """What the command prints, and its exit status."""
    out = io.StringIO()
    try:
        call_command("import_tracks", folder, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good files, a text file named .ogg, an empty file and a duplicate."""
    album = tmp_path / "music" / "Captain Cardboard"
    album.mkdir(parents=True)
    for seed, name in enumerate(("one.flac", "two.flac", "three.flac")):
        (album / name).write_bytes(song(seed))
    (album / "not_music.ogg").write_text("Dear diary, today I renamed a file.\n" * 50)
    (album / "nothing.mp3").touch()
    (album / "two again.flac").write_bytes(song(1))
    return tmp_path / "music"


def test_three_good_files_are_imported_and_three_bad_ones_reported_with_their_reasons(
    folder: Path,
) -> None:
    printed, status = run(folder)
    assert printed.splitlines()[-1] == "3 imported, 3 reported"
    assert status == 1
    for line in (
        "Captain Cardboard/not_music.ogg: not-audio: ",
        "Captain Cardboard/nothing.mp3: empty-file: ",
        "Captain Cardboard/two again.flac: duplicate: ",
    ):
        assert line in printed
    assert Track.objects.count() == 3


def test_without_tags_the_file_is_the_title_and_the_folder_the_soundtrack(folder: Path) -> None:
    run(folder)
    titles = Track.objects.values_list("title", "soundtrack")
    assert set(titles) == {(name, "Captain Cardboard") for name in ("one", "two", "three")}


def test_a_second_run_imports_nothing_and_is_no_failure(folder: Path) -> None:
    run(folder)
    for bad in ("not_music.ogg", "nothing.mp3"):
        (folder / "Captain Cardboard" / bad).unlink()
    printed, status = run(folder)
    assert printed.splitlines()[-1] == "0 imported, 4 reported"
    assert status == 0
    assert Track.objects.count() == 3


def test_covers_and_texts_are_passed_over_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "song.flac").write_bytes(song(1))
    (tmp_path / "cover.PNG").write_bytes(b"\x89PNG")
    (tmp_path / "notes.txt").write_text("by me")
    (tmp_path / ".hidden.ogg").write_text("not even looked at")
    printed, status = run(tmp_path)
    assert "2 files that are no music by their ending were passed over." in printed
    assert printed.splitlines()[-1] == "1 imported, 0 reported"
    assert status == 0


def test_a_file_that_begins_like_audio_but_cannot_be_decoded_is_reported_as_damaged(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.flac").write_bytes(song(1)[:200])
    (tmp_path / "fine.flac").write_bytes(song(2))
    printed, status = run(tmp_path)
    assert "broken.flac: damaged: " in printed
    assert printed.splitlines()[-1] == "1 imported, 1 reported"
    assert status == 1


def test_the_name_of_a_file_plays_no_part_in_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(song(1))
    run(tmp_path)
    assert Track.objects.get().audio.name.endswith(".flac")


def test_tags_in_shift_jis_that_claim_to_be_latin_1_are_read_as_they_were_meant(
    tmp_path: Path,
) -> None:
    path = tmp_path / "track01.wav"
    path.write_bytes(song(1, "WAV"))
    wave = mutagen.File(path)
    wave.add_tags()
    for frame, text in (("TIT2", "夜の街"), ("TPE1", "作曲家"), ("TALB", "ゲーム音楽")):
        claimed = text.encode("shift_jis").decode("latin-1")
        wave.tags.add(getattr(mutagen.id3, frame)(encoding=0, text=claimed))
    wave.save()
    run(tmp_path)
    track = Track.objects.get()
    assert (track.title, track.artist, track.soundtrack) == ("夜の街", "作曲家", "ゲーム音楽")


def test_a_folder_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("import_tracks", tmp_path / "nowhere")
