"""Writes a small folder in the layout of the FMA data set."""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path

import av
import numpy as np

from ml.synth import SAMPLE_RATE, compose, render

# The columns that are read, with some of the others, in FMA's order.
COLUMNS = (
    ("album", "date_released"),
    ("album", "information"),
    ("album", "title"),
    ("artist", "bio"),
    ("artist", "name"),
    ("set", "split"),
    ("set", "subset"),
    ("track", "date_created"),
    ("track", "date_recorded"),
    ("track", "genre_top"),
    ("track", "genres"),
    ("track", "license"),
    ("track", "title"),
)


@cache
def mp3(seed: int) -> bytes:
    """A piece that no other seed has, of three seconds."""
    samples = np.tile(render(compose(seed), 3.0).astype(np.float32), (2, 1))
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate = SAMPLE_RATE
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as media:
        stream = media.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="stereo")
        resampler = av.AudioResampler(
            stream.format, "stereo", SAMPLE_RATE, frame_size=stream.frame_size
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            media.mux(stream.encode(part))
        media.mux(stream.encode(None))
    return file.getvalue()


def write_tracks(folder: Path, tracks: dict[int, dict[tuple[str, str], str]]) -> Path:
    """`fma_metadata/tracks.csv` with these rows; cells that are not given are empty."""
    table = folder / "fma_metadata" / "tracks.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        for level in range(2):
            rows.writerow(["", *(names[level] for names in COLUMNS)])
        rows.writerow(["track_id", *("" for _ in COLUMNS)])
        for number, cells in tracks.items():
            rows.writerow([number, *(cells.get(names, "") for names in COLUMNS)])
    return table


def write_audio(folder: Path, number: int, content: bytes, below: str = "fma_small") -> Path:
    """The file of a track, where FMA puts it."""
    name = f"{number:06}"
    path = folder / below / name[:3] / f"{name}.mp3"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
