from __future__ import annotations

import numpy as np
import pytest
import soundfile

from ml.evaluation.cache import Cache, default_folder, source_digest
from ml.evaluation.catalogue import find_tracks, read_artists


def write_tone(path, frequency):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.3 * np.sin(np.arange(22050) * frequency * 2 * np.pi / 22050)
    soundfile.write(path, samples, 22050)


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    write_tone(folder / "b side" / "two.wav", 300)
    write_tone(folder / "b side" / "one.ogg", 200)
    write_tone(folder / "a side" / "three.flac", 100)
    (folder / "a side" / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 not music")
    (folder / "a side" / "readme.wav").write_text("a text that calls itself music")
    return folder


def test_the_parent_folder_is_the_soundtrack_and_only_audio_counts(music):
    found = find_tracks([music])
    assert [(track.name, track.soundtrack) for track in found] == [
        ("music/a side/three.flac", "a side"),
        ("music/b side/one.ogg", "b side"),
        ("music/b side/two.wav", "b side"),
    ]


def test_the_same_bytes_count_once(music):
    (music / "c side").mkdir()
    (music / "c side" / "again.wav").write_bytes((music / "b side" / "two.wav").read_bytes())
    assert len(find_tracks([music])) == 3
    assert len(find_tracks([music, music])) == 3


def test_artists_are_looked_up_by_the_md5_of_the_file(music, tmp_path):
    import hashlib

    md5 = hashlib.md5((music / "b side" / "two.wav").read_bytes()).hexdigest()
    table = tmp_path / "table.csv"
    table.write_text(f"artist,md5\nKenta Cho,{md5}\n", encoding="utf-8")
    found = find_tracks([music], read_artists(table))
    assert [track.artist for track in found] == ["", "", "Kenta Cho"]


def test_what_was_heard_outlives_the_process(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        cache.put_all({"one": b"1", "two": b"2"})
        assert "one" in cache
        assert "three" not in cache
    with Cache(tmp_path / "cache") as cache:
        assert cache["two"] == b"2"
        with pytest.raises(KeyError):
            cache["three"]


def test_the_cache_lies_where_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "soundsite"


def test_other_source_has_another_digest():
    from ml.evaluation import bootstrap, metrics

    assert source_digest([metrics]) == source_digest([metrics])
    assert source_digest([metrics]) != source_digest([bootstrap])
