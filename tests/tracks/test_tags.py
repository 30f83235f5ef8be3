"""Tags of real files are in any encoding, and say it wrongly."""

from __future__ import annotations

import io
import struct

import mutagen
import pytest

from tests.tracks.conftest import song
from tracks.tags import Tags, read_tags, readable


def with_comments(kind: str, *comments: bytes) -> io.BytesIO:
    """A song whose Vorbis comments are exactly these bytes, not necessarily UTF-8."""
    file = io.BytesIO(song(1, kind))
    media = mutagen.File(file)
    # Mutagen writes only UTF-8: placeholders of the same length are overwritten afterwards.
    places = [b"title=" + bytes([65 + n]) * (len(c) - 6) for n, c in enumerate(comments)]
    media["title"] = [place[6:].decode() for place in places]
    file.seek(0)
    media.save(file)
    content = file.getvalue()
    for place, comment in zip(places, comments, strict=True):
        length = struct.pack("<I", len(comment))
        assert content.count(length + place) == 1
        content = content.replace(length + place, length + comment)
    return io.BytesIO(content)


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis"])
def test_japanese_titles_are_read_in_either_encoding(kind: str, encoding: str) -> None:
    file = with_comments(kind, b"title=" + "夜のゲーム".encode(encoding))
    assert read_tags(file) == Tags(title="夜のゲーム")


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
def test_latin_1_titles_are_read(kind: str) -> None:
    assert read_tags(with_comments(kind, "title=Café Müller".encode("latin-1"))).title == (
        "Café Müller"
    )


def test_several_titles_say_nothing() -> None:
    assert read_tags(with_comments("FLAC", b"title=Caves", b"title=Desert")) == Tags()


def test_tags_that_cannot_be_read_are_none_and_the_file_is_left_at_its_start() -> None:
    file = io.BytesIO(b"OggS" + b"\xff" * 500)
    assert read_tags(file) == Tags()
    assert file.tell() == 0


@pytest.mark.parametrize(
    "text", ["Café", "Björk", "Amélie", "naïve", "Ærø Ødegård", "Señor", "ゲーム", "Dvořák"]
)
def test_text_that_is_right_already_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


def test_utf_8_that_was_taken_for_latin_1_is_read_again() -> None:
    assert readable("étude".encode().decode("latin-1")) == "étude"


def test_control_characters_which_a_database_refuses_go_out() -> None:
    assert readable("Part\x00one\n") == "Part one"
