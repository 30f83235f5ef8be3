"""Files that are made to do harm, each made on the spot."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from functools import cache

import numpy as np
import soundfile

from benchmarks.fuzz import synthetic
from ml.synth import SAMPLE_RATE, compose, render

TEN_HOURS = 36_000
ID3_CLAIM = 200 * 1024 * 1024


@cache
def sounds() -> dict[str, bytes]:
    """Three seconds of music in every format that is read."""
    return dict(reversed(synthetic()))


def wav(samples: np.ndarray, rate: int = SAMPLE_RATE, subtype: str = "FLOAT") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="WAV", subtype=subtype)
    return stream.getvalue()


@cache
def music(seconds: float = 3.0) -> np.ndarray:
    """float32 (n,)"""
    return render(compose(0), seconds)


def with_stretch(value: float) -> bytes:
    """Music with a tenth of a second of that value in it."""
    samples = music().copy()
    samples[SAMPLE_RATE : SAMPLE_RATE + SAMPLE_RATE // 10] = value
    return wav(samples)


def claims_ten_hours(kind: str) -> bytes:
    """The first 3 KB of a file, whose header speaks of ten hours."""
    content = bytearray(sounds()[kind][:3072])
    if kind == "wav":
        length = struct.pack("<I", TEN_HOURS * SAMPLE_RATE * 2)
        content[4:8] = content[content.index(b"data") + 4 : content.index(b"data") + 8] = length
    elif kind == "flac":  # STREAMINFO: the 36 bits of the number of samples
        content[21] |= 0x0F
        content[22:26] = b"\xff" * 4
    elif kind == "webm":  # the Duration, a float in milliseconds
        place = content.index(b"\x44\x89\x88") + 3
        content[place : place + 8] = struct.pack(">d", 1000.0 * TEN_HOURS)
    return bytes(content)


def of_an_unknown_codec() -> bytes:
    """A wav whose format tag nobody has registered."""
    content = bytearray(wav(music(), subtype="PCM_16"))
    place = content.index(b"fmt ") + 8
    content[place : place + 2] = b"\x42\x42"
    return bytes(content)


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def zip_of_death(depth: int = 3) -> bytes:
    """Zips in zips: every one holds ten of the one before, the innermost a megabyte of zeros."""
    content = zipped({"zeros.wav": bytes(1 << 20)})
    for _ in range(depth):
        content = zipped({f"{number}.zip": content for number in range(10)})
    return content


def id3(content: bytes, claimed: int = ID3_CLAIM) -> bytes:
    """A tag that claims to be that long before the content."""
    size = bytes(claimed >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + size + content


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def pointing_elsewhere() -> bytes:
    """The m4a with a data reference to a file of this machine in the place of its own."""
    content = sounds()["m4a"]
    own = box(b"dref", bytes(7) + b"\x01", box(b"url ", b"\0\0\0\1"))
    assert own in content
    other = box(b"dref", bytes(7) + b"\x01", box(b"url ", bytes(4), b"file:///etc/passwd\0"))
    return resized(content, own, other)


def resized(content: bytes, old: bytes, new: bytes) -> bytes:
    """The old box replaced, and all that hold it grown (ISO 14496-12, 4.2)."""
    grown = bytearray(content.replace(old, new))
    place = content.index(old)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        start = content.rindex(kind, 0, place) - 4
        size = struct.unpack_from(">I", grown, start)[0] + len(new) - len(old)
        struct.pack_into(">I", grown, start, size)
    return bytes(grown)


PLAYLISTS = {
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
    "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
    "pls": b"[playlist]\nFile1=http://127.0.0.1/\n",
    "xspf": b'<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/"></playlist>',
    "smil": b'<smil><body><audio src="http://127.0.0.1/"/></body></smil>',
    "asx": b'\xef\xbb\xbf  <ASX version="3.0"></ASX>',
    "wide": "\ufeff<?xml version='1.0'?><MPD/>".encode("utf-16-le"),
    "link": b"[Reference]\r\nRef1=http://127.0.0.1/\r\n",
}
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{f"a {name}": ("reference", lambda it=text: it) for name, text in PLAYLISTS.items()},
    "a playlist before an mp3": (
        "reference",
        lambda: PLAYLISTS["m3u8"] + sounds()["mp3"],
    ),
    "a playlist behind a tag": ("reference", lambda: id3(PLAYLISTS["m3u8"], 0)),
    "a playlist with a tag and an mp3": (
        "reference",
        lambda: id3(PLAYLISTS["concat"] + sounds()["mp3"], 0),
    ),
    "a movie whose sound is elsewhere": ("reference", pointing_elsewhere),
    "a reference movie": (
        "reference",
        lambda: (
            box(b"ftyp", b"qt  ")
            + box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", bytes(4), b"url "))))
        ),
    ),
    "a zip of death": ("not-audio", zip_of_death),
    "nested archives": ("not-audio", lambda: zipped({"a.zip": zipped({"b.mp3": b"x"})})),
    "a zip before an mp3": ("not-audio", lambda: zipped({"a": b"x"}) + sounds()["mp3"]),
    "a page before an mp3": ("not-audio", lambda: b"<html><script>" + sounds()["mp3"]),
    "a tag of 200 MB claimed": ("not-audio", lambda: id3(bytes(1000))),
    "a tag of 200 MB claimed, and as good as that": ("damaged", lambda: id3(bytes(100_000))),
    "ten hours in 3 KB of wav": ("too-short", lambda: claims_ten_hours("wav")),
    "ten hours in 3 KB of flac": ("damaged", lambda: claims_ten_hours("flac")),
    "ten hours in 3 KB of webm": ("too-short", lambda: claims_ten_hours("webm")),
    "nothing but no numbers": ("silent", lambda: wav(np.full(60_000, np.nan, np.float32))),
    "nothing but infinity": ("silent", lambda: wav(np.full(60_000, np.inf, np.float32))),
    "silence": ("silent", lambda: wav(np.zeros(60_000, np.float32))),
    "an unknown codec": ("damaged", of_an_unknown_codec),
    "nine channels": ("damaged", lambda: wav(np.tile(music()[:, None], 9))),
    "one sample a second": ("damaged", lambda: wav(music(), rate=1)),
    "an empty movie": ("damaged", lambda: box(b"ftyp", b"M4A ")),
    "boxes without end": ("damaged", lambda: box(b"ftyp", b"M4A ") + box(b"free") * 20_000),
}
ANSWERED: dict[str, Callable[[], bytes]] = {
    "192 kHz and 8 channels": lambda: wav(
        np.tile(np.repeat(music(2.0), 9)[:, None], 8), 192_000, "PCM_16"
    ),
    "no numbers in the middle": lambda: with_stretch(np.nan),
    "infinity in the middle": lambda: with_stretch(np.inf),
    "the largest float in the middle": lambda: with_stretch(3.4e38),
    "a constant": lambda: wav(np.full(60_000, 0.5, np.float32)),
    "a tag of 200 MB claimed before an mp3": lambda: id3(sounds()["mp3"], 0) + sounds()["mp3"],
}
