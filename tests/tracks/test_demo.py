"""The demo catalogue: its listing, fetching by apt, and the pieces composed in its place.

apt and dpkg are small shell scripts here: what they do with a network is theirs to test.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from ml.audio import decode
from tests.tracks.conftest import song
from tracks.demo import fill as filling
from tracks.demo.debian import UnavailableError, found_songs, songs_of
from tracks.demo.listing import Package, Song, packages
from tracks.demo.pieces import Generated, pieces
from tracks.models import DemoFill, Track
from tracks.services.catalogue import delete_track

APT = """#!/bin/sh
for word; do case $word in update) echo update >> "$FAKE/log"; test -e "$FAKE/online" || {
    echo "E: Temporary failure resolving the mirror"; exit 100; }
  touch "$FAKE/fresh"; exit 0;; esac; name=$word; done
echo "download $name" >> "$FAKE/log"
test -e "$FAKE/fresh" && cp "$FAKE/$name.deb" "./${name}_1_all.deb" && exit 0
echo "E: Unable to locate package $name"; exit 100
"""
DPKG = """#!/bin/sh
mkdir -p "$3" && tar -xf "$2" -C "$3"
"""


def listed(seed: int) -> Song:
    content = song(seed)
    digests = (hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest())
    return Song(f"{seed}.flac", "Game", f"Song {seed}", "Somebody", "CC0-1.0", *digests)


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """A folder of packages behind scripts named like apt-get and dpkg-deb; lists are stale."""
    folder, programs = tmp_path / "fake", tmp_path / "bin"
    programs.mkdir()
    folder.mkdir()
    for name, text in (("apt-get", APT), ("dpkg-deb", DPKG)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "online").touch()
    (folder / "log").touch()
    monkeypatch.setenv("FAKE", str(folder))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    settings.SOUNDSITE_DATA = tmp_path / "data with spaces"
    offered = tuple(_offer(folder, name, seeds) for name, seeds in (("a", (1, 2)), ("b", (3,))))
    monkeypatch.setattr(filling, "packages", lambda: offered)
    return folder


def _offer(folder: Path, name: str, seeds: tuple[int, ...]) -> Package:
    """Writes a package: the first song plain, the others within a .love archive."""
    with tarfile.open(folder / f"{name}.deb", "w") as archive:
        for seed in seeds:
            inside = "usr/song" if seed == seeds[0] else "usr/game.love"
            content = song(seed) if seed == seeds[0] else zipped("song", song(seed))
            member = tarfile.TarInfo(inside)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Package(name, 1000, tuple(listed(seed) for seed in seeds))


def run(**options: Any) -> str:
    out = io.StringIO()
    call_command("demo_catalogue", stdout=out, **options)
    return out.getvalue()


def downloads(fake: Path) -> list[str]:
    return [line for line in (fake / "log").read_text().splitlines() if "download" in line]


def test_the_listing_has_131_songs_of_13_packages_the_smallest_first() -> None:
    sizes = [package.size for package in packages()]
    assert sizes == sorted(sizes)
    assert (len(sizes), sum(sizes[:8]) // 10**6) == (13, 64)
    songs = [song for package in packages() for song in package.songs]
    assert len(songs) == 131
    assert len({song.md5 for song in songs}) == len({song.sha256 for song in songs}) == 131
    assert all(song.title and song.artist and song.licence and song.soundtrack for song in songs)


def test_songs_are_found_by_their_bytes_also_within_archives(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "misnamed.bin").write_bytes(song(1))
    (tmp_path / "game.love").write_bytes(zipped("music/x.ogg", song(2)))
    (tmp_path / "other").write_bytes(song(9))
    found = dict(found_songs(tmp_path, (listed(1), listed(2), listed(3))))
    assert found == {listed(1): song(1), listed(2): song(2)}


@pytest.mark.django_db
def test_packages_are_fetched_with_fresh_lists_where_the_machines_are_stale(fake: Path) -> None:
    assert "a: 2 of 2 tracks" in run()
    assert (fake / "log").read_text().split("\n")[:3] == ["download a", "update", "download a"]
    track = Track.objects.get(title="Song 2")
    assert (track.soundtrack, track.artist, track.licence) == ("Game", "Somebody", "CC0-1.0")
    assert (track.source, track.generated) == ("Debian package a", False)
    assert Track.objects.count() == 3


@pytest.mark.django_db
def test_nothing_of_a_package_is_left_on_the_disk(fake: Path, settings: Any) -> None:
    run()
    left = [path for path in settings.SOUNDSITE_DATA.rglob("*") if path.is_file()]
    assert left == []


@pytest.mark.django_db
def test_a_second_run_fetches_only_what_is_missing(fake: Path) -> None:
    run(first=1)
    before = downloads(fake)
    run()
    assert downloads(fake)[len(before) :] == ["download b"]
    run()
    assert len(downloads(fake)) == len(before) + 1
    assert DemoFill.objects.get().packages_done == ["a", "b"]
    assert not DemoFill.objects.get().running


@pytest.mark.django_db
def test_a_track_that_an_administrator_deleted_does_not_come_back(fake: Path) -> None:
    run()
    delete_track(Track.objects.get(title="Song 2"))
    run()
    assert not Track.objects.filter(title="Song 2").exists()


@pytest.mark.django_db
def test_a_fill_that_was_killed_within_a_package_takes_it_up_again(fake: Path) -> None:
    run(first=1)
    delete_track(Track.objects.get(title="Song 2"))
    DemoFill.objects.update(packages_done=[])  # it was not through with the package
    run(first=1)
    assert Track.objects.filter(title="Song 2").exists()


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Generated, "flac", lambda piece: song(1000 + piece.seed, seconds=1.0))


@pytest.mark.django_db
def test_without_a_network_one_sentence_says_so_and_a_catalogue_is_composed(
    fake: Path, short_pieces: None
) -> None:
    (fake / "online").unlink()
    printed = run(first=2)
    assert (
        "Debian's packages cannot be had here: apt-get says: "
        "Temporary failure resolving the mirror." in printed
    )
    assert "24 pieces were composed instead, labelled as generated." in printed
    assert Track.objects.filter(generated=True, licence="CC0-1.0").count() == 24
    assert Counter(Track.objects.values_list("soundtrack", flat=True)).most_common()[-1][1] == 4
    assert len(set(Track.objects.values_list("soundtrack", flat=True))) == 6


@pytest.mark.django_db
def test_a_composed_catalogue_is_enough_for_the_next_start(fake: Path, short_pieces: None) -> None:
    (fake / "online").unlink()
    run(first=2)
    before = downloads(fake)
    assert "is in place" in run(first=2)
    assert downloads(fake) == before
    assert Track.objects.count() == 24


@pytest.mark.django_db
def test_real_soundtracks_join_a_composed_catalogue_once_there_is_a_network(
    fake: Path, short_pieces: None
) -> None:
    (fake / "online").unlink()
    run(first=2)
    (fake / "online").touch()
    run()
    assert (Track.objects.filter(generated=False).count(), Track.objects.count()) == (3, 27)


@pytest.mark.django_db
def test_where_there_is_no_apt_that_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="there is no apt-get on this machine"):
        list(songs_of(packages()[0], tmp_path, lambda size: None))


def test_composed_pieces_are_audio_files_of_40_seconds_and_more(tmp_path: Path) -> None:
    digests = set()
    for piece in list(pieces())[::6]:
        path = tmp_path / "piece.flac"
        path.write_bytes(piece.flac())
        assert decode(path).duration >= 40
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 4
