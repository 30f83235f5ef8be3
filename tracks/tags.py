"""Titles, artists and albums from tags, whatever encoding they were written in."""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import mutagen
from mutagen.ogg import OggPage

logger = logging.getLogger(__name__)

LONGEST = 300
# Easy names first, then ID3's own, which AIFF and WAV files show.
NAMES = {"title": ("title", "TIT2"), "artist": ("artist", "TPE1"), "album": ("album", "TALB")}
# Two in a row: one alone may be Latin-1 text that happens to read as Shift-JIS.
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Tags:
    """What a file says of itself; empty where it says nothing."""

    title: str = ""
    artist: str = ""
    album: str = ""


def read_tags(file: BinaryIO) -> Tags:
    """The tags of an open file. Tags that cannot be read are none: they never stop an import."""
    try:
        tags = _tags(file)
        return Tags(**{name: _text(tags, keys) for name, keys in NAMES.items()})
    except Exception as error:  # mutagen lets many through from damaged files
        logger.info(
            "No tags could be read: %s", type(error).__name__
        )  # its words may name the file
        return Tags()
    finally:
        file.seek(0)


def _tags(file: BinaryIO) -> Any:
    """Mutagen's tags, with undecodable bytes of Vorbis comments kept as surrogates."""
    media = mutagen.File(file, easy=True)
    tags = {} if media is None or media.tags is None else media.tags
    if "\ufffd" in str(tags):
        file.seek(0)
        return _raw_comments(file) or tags
    return tags


def _raw_comments(file: BinaryIO) -> dict[str, list[str]]:
    """Comments of an Ogg Vorbis, Ogg Opus or FLAC file, invalid UTF-8 as surrogate escapes.

    The layout is that of Vorbis I, 5.2.1: a vendor, a count, and texts NAME=value, each text
    after its length as four bytes, the lowest first.
    """
    magic = file.read(4)
    if magic not in (b"fLaC", b"OggS"):
        return {}
    block = _flac_comments(file) if magic == b"fLaC" else _ogg_comments(file)
    comments: dict[str, list[str]] = {}
    position = 4 + struct.unpack_from("<I", block)[0]
    (count,) = struct.unpack_from("<I", block, position)
    for _ in range(count):
        (length,) = struct.unpack_from("<I", block, position + 4)
        position += 4 + length
        text = block[position - length + 4 : position + 4].decode("utf-8", "surrogateescape")
        name, _, value = text.partition("=")
        comments.setdefault(name.lower(), []).append(value)
    return comments


def _flac_comments(file: BinaryIO) -> bytes:
    """The body of the VORBIS_COMMENT block (RFC 9639, 8.6); the file stands after its magic."""
    while len(header := file.read(4)) == 4:
        body = file.read(int.from_bytes(header[1:], "big"))
        if header[0] & 0x7F == 4:
            return body
        if header[0] & 0x80:
            break
    return b""


def _ogg_comments(file: BinaryIO) -> bytes:
    """The comment packet, always a stream's second (RFC 7845, 5; Vorbis I, 4.2), without magic."""
    file.seek(0)
    first = OggPage(file)
    pages: list[OggPage] = []
    while not pages or not (pages[-1].complete or len(pages[-1].packets) > 1):
        page = OggPage(file)
        if page.serial == first.serial:
            pages.append(page)
    packet = OggPage.to_packets(pages)[0]
    return packet[8:] if packet.startswith(b"OpusTags") else packet[7:]


def _text(tags: Any, keys: Iterable[str]) -> str:
    """The one value under the first key that has any; several different ones say nothing."""
    for key in keys:
        if key in tags:
            found = tags[key]
            values = found.text if hasattr(found, "text") else found
            texts = {readable(str(value)) for value in values} - {""}
            return texts.pop() if len(texts) == 1 else ""
    return ""


def readable(text: str) -> str:
    """The text as it was meant: Shift-JIS and UTF-8 that were taken for Latin-1 are read again.

    >>> readable("\\x83Q\\x81[\\x83\\x80")
    'ゲーム'
    >>> readable("Café")
    'Café'
    """
    return _CONTROL.sub(" ", _decoded(text)).strip()[:LONGEST]


def _decoded(text: str) -> str:
    raw = _bytes_of(text)
    if raw is None:
        return text
    for encoding in ("utf-8", "shift_jis"):
        try:
            decoded = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or _JAPANESE.search(decoded):
            return decoded
    return raw.decode("latin-1")


def _bytes_of(text: str) -> bytes | None:
    """The bytes behind a text whose encoding is in doubt, None for a text beyond doubt."""
    if any("\udc80" <= character <= "\udcff" for character in text):
        return text.encode("utf-8", "surrogateescape")
    if text.isascii() or max(text) > "\xff":
        return None
    return text.encode("latin-1")
