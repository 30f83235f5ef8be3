"""What a file is, from its first bytes alone. Names and content types are never believed.

Standard library only, so that the web process can refuse what no worker should ever open: a
playlist, a script or any other format that makes a decoder open further files has no entry here,
and what begins like one is not searched for music behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO

from ml.errors import AudioError

HEAD_BYTES = 64 * 1024

_MPEG_BITRATES = {  # kbit/s by (MPEG-1?, layer), ISO 11172-3 table and its 13818-3 extension
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
# How formats begin that name other files: HLS, FFmpeg's concat, SDP, PLS, QuickTime's and Windows'
# links, and the XML ones (SMIL, ASX, XSPF, WPL, DASH).
_PLAYLISTS = (
    *(b"#ext", b"ffconcat", b"file ", b"v=0\r", b"v=0\n", b"[playlist]", b"[reference]"),
    *(b"rtsptext", b"rtsp://", b"http://", b"https://", b"smiltext", b"[internetshortcut]"),
    *(b"<?xml", b"<smil", b"<asx", b"<mpd", b"<playlist", b"<?wpl"),
)
# Other files may hold MPEG frames, too, and are none: zip, rar, 7z, gzip, PDF, GIF, PNG, ELF,
# HTML.
_OTHERS = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"%PDF"),
    *(b"GIF8", b"\x89PNG", b"\x7fELF", b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML"),
)
_MOST_MOOV = 32 * 1024 * 1024
_MOST_BOXES = 10_000


def sniff(head: bytes) -> str | None:
    """Name the container of a file as FFmpeg's demuxers are named.

    Args:
        head: the first bytes of the file, `HEAD_BYTES` of them if there are so many.

    Returns:
        `ogg`, `flac`, `wav`, `aiff`, `mov`, `matroska`, `mp3` or `aac`; None for anything else.
    """
    if is_playlist(head) or head.startswith(_OTHERS):
        return None
    whole, head = len(head), _without_id3(head)
    if not head and whole == HEAD_BYTES:
        return "mp3"  # by custom: a tag with a large cover, and what it is of lies further on
    if is_playlist(head) or head.startswith(_OTHERS):
        return None
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "mov"
    for magic, name in ((b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1a\x45\xdf\xa3", "matroska")):
        if head.startswith(magic):
            return name
    if _adts_frames(head):
        return "aac"
    return "mp3" if _mpeg_frames(head) else None


def is_playlist(head: bytes) -> bool:
    """Whether a file begins like one that only names others."""
    text = head[:1024].removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe")
    text = text.removeprefix(b"\xfe\xff").replace(b"\0", b"")
    return text.lstrip().lower().startswith(_PLAYLISTS)


def refusal(head: bytes) -> AudioError:
    """Why a file that `sniff` has no name for is refused: `reference` or `not-audio`."""
    if is_playlist(head) or is_playlist(_without_id3(head)):
        return AudioError("reference", "it begins like a playlist")
    return AudioError("not-audio", "the first bytes are of no audio format that is read here")


def refers_elsewhere(file: BinaryIO) -> bool:
    """Whether a movie (ISO 14496-12, QuickTime) keeps its sound in another file.

    That is told by a data reference without the flag "in this file", by a reference movie, or
    hidden in a compressed `moov`, which nothing has written for twenty years.

    Raises:
        AudioError: `damaged`, where there are too many boxes or too large a `moov` to look through.
    """
    for kind, size in _boxes(file):
        if kind != b"moov":
            continue
        if size > _MOST_MOOV:
            raise AudioError("damaged", f"a moov of {size} bytes")
        moov = file.read(size)
        hidden = (*_inner(moov, b"rmra"), *_inner(moov, b"cmov"))
        if hidden or any(_names_a_file(moov, place) for place in _inner(moov, b"dref")):
            return True
    return False


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Type and size of what is left of each outermost box; the file stands after its header."""
    end = file.seek(0, SEEK_END)
    start = 0
    for _ in range(_MOST_BOXES):
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        length = 16 if size == 1 and len(header) == 16 else 8
        if length == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
        size = min(size or end, end - start)
        if size < length:
            return
        file.seek(start + length)
        yield kind, size - length
        start += size
    raise AudioError("damaged", f"more than {_MOST_BOXES} boxes")


def _inner(moov: bytes, kind: bytes) -> Iterator[int]:
    """Where boxes of that type stand, however deep; the bytes of a cover are seldom like one."""
    place = moov.find(kind, 4)
    while place >= 0:
        (size,) = struct.unpack_from(">I", moov, place - 4)
        if 8 <= size <= len(moov) - place + 4:
            yield place
        place = moov.find(kind, place + 4)


def _names_a_file(moov: bytes, place: int) -> bool:
    """Whether an entry of the `dref` box there is not of this file and says where it is instead."""
    (count,) = struct.unpack(">I", moov[place + 8 : place + 12].ljust(4, b"\0"))
    entry = place + 12
    for _ in range(min(count, 1000)):
        size, flags = struct.unpack(">I4xI", moov[entry : entry + 12].ljust(12, b"\0"))
        if size > 12 and not flags & 1:
            return True
        entry += max(size, 12)
    return False


def _without_id3(head: bytes) -> bytes:
    """What stands behind a leading ID3v2 tag, nothing where that fills the head."""
    if head[:3] != b"ID3" or len(head) < 10:
        return head
    size = 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
    )
    return head[size:]


def _adts_frames(head: bytes) -> bool:
    """Two ADTS headers in a row, the second where the first says (ISO 14496-3)."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    length = (head[3] & 0x03) << 11 | head[4] << 3 | head[5] >> 5
    following = head[length : length + 2]
    return length > 7 and len(following) == 2 and following == head[:2]


def _mpeg_frames(head: bytes) -> bool:
    """Two MPEG audio headers in a row anywhere in the head (leading garbage is common)."""
    position = head.find(b"\xff")
    while 0 <= position < len(head) - 4:
        length = _mpeg_frame_length(head[position : position + 4])
        if length and _mpeg_frame_length(head[position + length : position + length + 4]):
            return True
        position = head.find(b"\xff", position + 1)
    return False


def _mpeg_frame_length(header: bytes) -> int:
    """Length in bytes of the MPEG audio frame with this 4-byte header, 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate_index, rate_index, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:
        return 0
    bitrate = 1000 * _MPEG_BITRATES[version == 3, layer][bitrate_index - 1]
    rate = _MPEG_RATES[version][rate_index]
    if layer == 1:
        return (12 * bitrate // rate + padding) * 4
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bitrate // rate + padding
