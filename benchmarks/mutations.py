"""Damage to files, in the manner of radamsa: blind to formats, hard on headers and lengths."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

LARGEST = 64 * 1024  # bytes that one mutation touches, or adds at a time
_HEADER = 512
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 24, (1 << 31) - 1, 1 << 31)
_WIDEST = ((1 << 32) - 1, 1 << 63, (1 << 64) - 1)
_FLOATS = (float("nan"), float("inf"), -float("inf"), 3e38, 1e-40)

Mutation = Callable[[Random, bytearray, bytes], None]


def mutated(random: Random, content: bytes, other: bytes) -> bytes:
    """The content after one to four mutations; `other` is a file to take pieces from."""
    damaged = bytearray(content)
    for _ in range(random.randint(1, 4)):
        random.choice(MUTATIONS)(random, damaged, other)
    # Nothing behind a wrong checksum is looked at: half of the Ogg files get right ones again.
    if damaged[:4] == b"OggS" and random.random() < 0.5:
        return with_checksums(damaged)
    return bytes(damaged)


def _place(random: Random, content: bytearray) -> int:
    """Every other place lies where headers are."""
    end = len(content) if random.random() < 0.5 else min(len(content), _HEADER)
    return random.randrange(end) if end else 0


def _length(random: Random) -> int:
    """Each power of two is as likely as any other."""
    return min(LARGEST, random.randint(1, 2 ** random.randint(0, 16)))


def _stretch(random: Random, content: bytearray) -> slice:
    start = _place(random, content)
    return slice(start, start + _length(random))


def _flip_bits(random: Random, content: bytearray, other: bytes) -> None:
    for _ in range(random.randint(1, 64)):
        if content:
            content[_place(random, content)] ^= 1 << random.randrange(8)


def _overwrite(random: Random, content: bytearray, other: bytes) -> None:
    where = _stretch(random, content)
    content[where] = random.randbytes(len(content[where]))


def _blank(random: Random, content: bytearray, other: bytes) -> None:
    where = _stretch(random, content)
    content[where] = random.choice((b"\0", b"\xff")) * len(content[where])


def _delete(random: Random, content: bytearray, other: bytes) -> None:
    del content[_stretch(random, content)]


def _insert(random: Random, content: bytearray, other: bytes) -> None:
    place = _place(random, content)
    content[place:place] = random.randbytes(_length(random))


def _repeat(random: Random, content: bytearray, other: bytes) -> None:
    where = _stretch(random, content)
    piece = bytes(content[where])
    content[where.start : where.start] = piece * min(random.randint(1, 1000), LARGEST // 16)


def _swap(random: Random, content: bytearray, other: bytes) -> None:
    one, two = _stretch(random, content), _stretch(random, content)
    content[one], content[two] = content[two], content[one]


def _cut(random: Random, content: bytearray, other: bytes) -> None:
    del content[_place(random, content) :]


def _set_number(random: Random, content: bytearray, other: bytes) -> None:
    order, place = random.choice("<>"), _place(random, content)
    kind, bits = random.choice((("B", 8), ("H", 16), ("I", 32), ("Q", 64)))
    number = random.choice(_NUMBERS + _WIDEST) % (1 << bits)
    content[place : place + bits // 8] = struct.pack(order + kind, number)


def _set_float(random: Random, content: bytearray, other: bytes) -> None:
    place = _place(random, content)
    content[place : place + 4] = struct.pack("<f", random.choice(_FLOATS))


def _splice(random: Random, content: bytearray, other: bytes) -> None:
    """The head of one file on the body of another, or a piece of it in the middle."""
    place, start = _place(random, content), random.randrange(len(other) or 1)
    if random.random() < 0.5:
        content[place:] = other[start:]
    else:
        content[place:place] = other[start : start + _length(random)]


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bits, _overwrite, _blank, _delete, _insert, _repeat, _swap, _cut),
    *(_set_number, _set_number, _set_float, _splice),
)


def with_checksums(pages: bytearray) -> bytes:
    """Ogg pages (RFC 3533, 6) with their checksums computed anew, as far as they follow."""
    start = 0
    while pages[start : start + 4] == b"OggS" and len(pages) > start + 27:
        segments = pages[start + 27 : start + 27 + pages[start + 26]]
        end = start + 27 + len(segments) + sum(segments)
        pages[start + 22 : start + 26] = bytes(4)
        pages[start + 22 : start + 26] = struct.pack("<I", _crc(pages[start:end]))
        start = end
    return bytes(pages)


def _crc(page: bytearray) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC[crc >> 24 ^ byte]
    return crc


def _crc_of(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1 ^ (0x04C11DB7 if crc & 1 << 31 else 0)) & 0xFFFFFFFF
    return crc


_CRC = tuple(map(_crc_of, range(256)))
