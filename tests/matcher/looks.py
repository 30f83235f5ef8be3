"""What a worker keeps for the pictures of a piece, made on the spot."""

from __future__ import annotations

import numpy as np

from matcher.models import Match, Upload
from ml.strip import png
from tracks.models import IndexEntry


def peaks(seed: int) -> bytes:
    """As `ml.peaks` makes them: 800 columns of a piece that swells and falls."""
    columns = np.arange(800)
    noise = np.random.default_rng(seed).random(800)
    swell = 0.45 + 0.3 * np.sin(columns / 97 + seed) * np.sin(columns / 31)
    loudest = swell * (0.6 + 0.4 * noise)
    rows = np.stack([loudest, loudest * (0.4 + 0.2 * noise)]) / loudest.max()
    return np.rint(255 * rows).astype(np.uint8).tobytes()


def strip(seed: int) -> bytes:
    """A PNG of 200 moments, each colour of which lasts a little."""
    colours = np.random.default_rng(seed).integers(60, 220, (25, 3), np.uint8)
    return png(np.tile(np.repeat(colours, 8, axis=0), (8, 1, 1)))


REASONS = [
    {"code": "tempo", "yours": 120.0, "theirs": 118.0, "strength": 0.9},
    {"code": "brightness", "yours": 1800.0, "theirs": 1900.0, "strength": 0.7},
    {"code": "loudness", "yours": -14.0, "theirs": -15.0, "strength": 0.6},
]


def add_pictures(upload: Upload) -> None:
    """Pictures for an answered upload and the tracks that it was answered with."""
    Upload.objects.filter(pk=upload.pk).update(peaks=peaks(0), strip=strip(0))
    for match in Match.objects.filter(upload=upload):
        entry = IndexEntry.objects.filter(track=match.track_id)
        entry.update(peaks=peaks(match.track_id), strip=strip(match.track_id))
