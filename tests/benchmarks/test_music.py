"""The list of the music that likeness is measured on, and what of it is fetched."""

from __future__ import annotations

from benchmarks import music
from tracks.demo.debian import UnavailableError
from tracks.demo.listing import packages


def test_the_lists_name_224_pieces_of_17_soundtracks_each_once():
    songs = [s for listing in music.LISTINGS.values() for p in packages(listing) for s in p.songs]
    assert len(songs) == len({song.sha256 for song in songs}) == 224
    assert len({song.soundtrack for song in songs}) == 17


def test_only_packages_with_a_missing_piece_are_fetched(tmp_path, monkeypatch):
    def unpacked(package, work, on_bytes):
        return [(song, song.file.encode()) for song in package.songs]

    monkeypatch.setattr(music, "songs_of", unpacked)
    assert music.main([str(tmp_path)]) == 0
    assert len(list((tmp_path / "demo").glob("*/*"))) == 131
    gone = tmp_path / "train" / "nexuiz" / "brainsukker.ogg"
    assert gone.read_bytes() == b"brainsukker.ogg"
    assert list(music.missing(tmp_path)) == []
    gone.unlink()
    assert [package.name for package, _ in music.missing(tmp_path)] == ["nexuiz-music"]


def test_a_machine_without_the_packages_is_told_why(tmp_path, monkeypatch, capsys):
    def refused(package, work, on_bytes):
        raise UnavailableError("there is no apt-get on this machine")

    monkeypatch.setattr(music, "songs_of", refused)
    assert music.main([str(tmp_path)]) == 1
    assert "no apt-get" in capsys.readouterr().err
