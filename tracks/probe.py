"""Decodes a catalogue file, which is the only proof that it is one. Worker and commands only."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from ml import isolated
from ml.audio import Sound

# Shorter pieces (jingles) have no rhythm or form that could be likened.
SHORTEST_SECONDS = 1.0


def probe(path: Path) -> Sound:
    """The whole decoded track.

    Raises:
        ml.errors.AudioError: see `ml.isolated.decode`.
    """
    return isolated.decode(
        path, min_seconds=SHORTEST_SECONDS, max_seconds=float(settings.UPLOAD_MAX_SECONDS)
    )
