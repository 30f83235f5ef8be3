"""A piece's codes as a picture: one column a moment, similar codes in similar colours. NumPy only.

Three principal axes of the space's latents become the three axes of OKLab, in which equal steps
look equally far apart (Ottosson, "A perceptual color space for image processing", 2020). The axes
are those of the model version, not of the piece: the same colour means the same sound everywhere.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from ml.space import Space

COLUMNS = 800
ROWS = 8
# Lightness and the two opponents, for what lies in the middle and for one deviation from it.
_MIDDLE = np.array([0.68, 0.0, 0.0])
_REACH = np.array([0.22, 0.13, 0.13])  # never further than this: light and dark pages show it all
_DEVIATIONS = 1.5  # how many of them take three quarters of the reach

_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def strip(codes: np.ndarray, space: Space) -> bytes:
    """A PNG of `ROWS` equal rows, a column for each row of codes but at most `COLUMNS`.

    Args:
        codes: (T, Q), at least one row.
        space: of the model version that gave the codes.
    """
    return png(np.tile(colours(codes, space), (ROWS, 1, 1)))


def colours(codes: np.ndarray, space: Space) -> np.ndarray:
    """sRGB colours (min(T, COLUMNS), 3), uint8, of codes (T, Q), from the first to the last."""
    moments = _averaged(space.latents(codes) @ _axes(space), min(len(codes), COLUMNS))
    centre = space.reference_mean.mean(axis=0) @ _axes(space)
    away = np.tanh((moments - centre) / _DEVIATIONS)
    return _srgb(_MIDDLE + _REACH * away)


def _axes(space: Space) -> np.ndarray:
    """(d, 3): the widest directions of the latents of the reference sample, of unit spread.

    A direction and its opposite are equally good; the sign is chosen so that the largest part is
    positive, for every machine must paint the same picture.
    """
    between = np.cov(space.reference_mean.T, bias=True)
    spread, directions = np.linalg.eigh(space.reference_covariance.mean(axis=0) + between)
    widest = directions[:, ::-1][:, :3] / np.sqrt(spread[::-1][:3])
    largest = widest[np.abs(widest).argmax(axis=0), range(3)]
    axes: np.ndarray = widest * np.sign(largest)
    return axes


def _averaged(moments: np.ndarray, columns: int) -> np.ndarray:
    """Means (columns, n) of equal stretches of moments (T, n)."""
    longer = len(moments) % columns  # as many, the first ones, have one moment more: array_split
    lengths = len(moments) // columns + (np.arange(columns) < longer)
    starts = np.cumsum(lengths) - lengths
    found: np.ndarray = np.add.reduceat(moments, starts) / lengths[:, None]
    return found


def _srgb(lab: np.ndarray) -> np.ndarray:
    """OKLab (n, 3) as sRGB, uint8; what a screen cannot show becomes the nearest it can."""
    linear = np.clip((lab @ _TO_LMS.T) ** 3 @ _TO_RGB.T, 0.0, 1.0)
    bent = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * bent).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """An image (rows, columns, 3), uint8, as a PNG (ISO/IEC 15948).

    Each row is written as its difference from the one above, so that equal rows cost nothing.
    """
    rows, columns, _ = pixels.shape
    flat = pixels.reshape(rows, -1)
    differences = np.diff(flat, axis=0, prepend=np.zeros((1, flat.shape[1]), np.uint8))
    lines = np.hstack([np.full((rows, 1), 2, np.uint8), differences])
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 9)
    parts = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
