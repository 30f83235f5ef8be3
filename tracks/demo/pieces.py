"""Six invented soundtracks of four pieces each, composed here where no packages can be had."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soundfile

from ml.synth import compose, render

SAMPLE_RATE = 44_100
ARTIST = "Soundsite's synthesiser"
LICENCE = "CC0-1.0"

# By the style of ml.synth that a soundtrack is written in.
SOUNDTRACKS = {
    "drift": (
        "Tidewater Observatory",
        ("Low Tide Lanterns", "The Glass Barometer", "A Slow Lens", "Fog over Pier Nine"),
    ),
    "cartridge": (
        "Captain Cardboard",
        ("Title Screen Sprint", "Boots of Static", "The Cardboard Moon", "Lord of the Left Sock"),
    ),
    "neon": (
        "Overpass 86",
        ("Midnight Toll", "Chrome Monsoon", "Rear-View Skyline", "Exit Ramp to Nowhere"),
    ),
    "orchard": (
        "The Long Orchard",
        ("Walking to Pearwood", "Rain on the Cider Press", "Three Gates", "The Beekeeper's Round"),
    ),
    "nave": (
        "Cathedral Engine",
        ("The Bell Foundry", "Iron Liturgy", "Procession of Gears", "Vault of Nine Keys"),
    ),
    "lounge": (
        "Hotel Meridian",
        ("Check-in at Eleven", "Ice in Two Glasses", "Room 404", "Last Call for Mr. Tamm"),
    ),
}


@dataclass(frozen=True)
class Generated:
    """A piece that is composed by its seed."""

    seed: int
    style: str
    soundtrack: str
    title: str

    @property
    def source(self) -> str:
        return f"Composed by Soundsite's synthesiser, seed {self.seed}"

    def flac(self) -> bytes:
        """The piece as a FLAC file, mono, 16 bits."""
        samples = render(compose(self.seed, self.style), sample_rate=SAMPLE_RATE)
        stream = io.BytesIO()
        soundfile.write(stream, samples.astype(np.float32), SAMPLE_RATE, "PCM_16", format="FLAC")
        return stream.getvalue()


def pieces() -> Iterator[Generated]:
    """All pieces, soundtrack by soundtrack."""
    seed = 0
    for style, (soundtrack, titles) in SOUNDTRACKS.items():
        for title in titles:
            seed += 1
            yield Generated(seed, style, soundtrack, title)
