"""What `ml.synth` can play: instruments as sums of partials, and styles as ranges of choice."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin


@dataclass(frozen=True)
class Instrument:
    """A timbre.

    Attributes:
        partials: (multiple of the fundamental, gain).
        attack: seconds to full level.
        decay: e-foldings a second of the fundamental, 0 for a held tone.
        damping: how much sooner high partials die (0: all alike).
        release: seconds from the note's end to silence.
        vibrato: relative depth.
    """

    partials: tuple[tuple[float, float], ...]
    attack: float = 0.005
    decay: float = 0.0
    damping: float = 0.0
    release: float = 0.05
    vibrato: float = 0.0


@dataclass(frozen=True)
class Style:
    """The family that a piece belongs to.

    Attributes:
        tempo: least and greatest, in beats a minute.
        beats: to a bar.
        scales, leads, drums: one of each is drawn.
        chord: scale steps above the root that sound together.
        pad, broken, bass: instruments of held chord, broken chord and bass.
        arpeggio: indices into the chord, spread over the bar.
        bass_line: (beat, scale steps above the root).
        lengths: of melody notes, in beats.
        density: share of melody notes that are not rests.
        octave: of the melody above the tonic.
        echo: gain of the first echo.
    """

    tempo: tuple[float, float]
    scales: tuple[tuple[int, ...], ...]
    leads: tuple[str, ...]
    drums: tuple[dict[str, str], ...]
    bass: str
    bass_line: tuple[tuple[float, int], ...]
    beats: int = 4
    chord: tuple[int, ...] = (0, 2, 4)
    pad: str = ""
    broken: str = ""
    arpeggio: tuple[int, ...] = ()
    lengths: tuple[float, ...] = (0.5, 1.0)
    density: float = 0.85
    octave: int = 1
    echo: float = 0.15


def _harmonics(*gains: float) -> tuple[tuple[float, float], ...]:
    return tuple((n, gain) for n, gain in enumerate(gains, 1) if gain)


def _odd(power: int) -> tuple[tuple[float, float], ...]:
    return tuple((n, n**-power) for n in (1, 3, 5, 7, 9, 11))


_SAW = tuple((n, 0.6 / n) for n in range(1, 13))
_PULSE = tuple((n, sin(pi * n / 4) / n) for n in range(1, 12) if n % 4)

INSTRUMENTS = {
    "square": Instrument(_odd(1), release=0.02),
    "pulse": Instrument(_PULSE, release=0.02, vibrato=0.004),
    "triangle": Instrument(_odd(2), release=0.02),
    "saw": Instrument(_SAW, attack=0.004, decay=2.5, damping=0.6),
    "saw pad": Instrument(_SAW, attack=0.25, release=0.5, vibrato=0.003),
    "soft pad": Instrument(_harmonics(1, 0.35, 0.12, 0.05), attack=0.8, release=1.6, vibrato=0.002),
    "bell": Instrument(
        ((1, 0.8), (2.76, 0.5), (5.4, 0.25), (8.9, 0.12)), decay=1.2, damping=0.8, release=1.2
    ),
    "glass": Instrument(((1, 1.0), (3.0, 0.2), (4.2, 0.3)), 0.03, 0.9, 0.5, release=1.5),
    "pluck": Instrument(
        _harmonics(1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12), 0.002, 2.0, 0.9, release=0.15
    ),
    "harp": Instrument(_harmonics(1, 0.4, 0.25, 0.08), 0.003, 1.6, 0.8, release=0.5),
    "whistle": Instrument(_harmonics(1, 0.12, 0.05), 0.05, release=0.08, vibrato=0.012),
    "organ": Instrument(
        ((0.5, 0.4), (1, 0.8), (2, 0.5), (3, 0.3), (4, 0.3), (8, 0.15)), 0.02, release=0.12
    ),
    "strings": Instrument(_SAW, attack=0.12, release=0.3, vibrato=0.006),
    "horn": Instrument(_harmonics(0.6, 1, 0.8, 0.45, 0.2), attack=0.07, release=0.12),
    "electric piano": Instrument(
        _harmonics(1, 0.5, 0.05, 0.2, 0, 0, 0.12), 0.003, 1.4, 0.9, release=0.12
    ),
    "vibraphone": Instrument(((1, 1.0), (4, 0.35), (10, 0.08)), 0.002, 1.8, 0.6, 0.4, 0.004),
    "clarinet": Instrument(((1, 1.0), (3, 0.5), (5, 0.25), (7, 0.1)), 0.03, release=0.06),
    "double bass": Instrument(_harmonics(1, 0.6, 0.25, 0.1), 0.008, 3.0, 0.7, release=0.08),
    "sub bass": Instrument(_harmonics(1, 0.15), attack=0.02, release=0.1),
    "saw bass": Instrument(_SAW, attack=0.003, decay=4.0, damping=0.7, release=0.03),
}

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
DORIAN, LYDIAN, MIXOLYDIAN = (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 6, 7, 9, 11), (0, 2, 4, 5, 7, 9, 10)
PHRYGIAN, HARMONIC = (0, 1, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 11)

STYLES = {
    "drift": Style(
        tempo=(54, 72),
        scales=(LYDIAN, MAJOR),
        leads=("bell", "glass"),
        drums=({}, {"shaker": "........x......."}),
        bass="sub bass",
        bass_line=((0, 0),),
        chord=(0, 2, 4, 8),
        pad="soft pad",
        lengths=(1.0, 2.0, 3.0),
        density=0.6,
        octave=2,
        echo=0.45,
    ),
    "cartridge": Style(
        tempo=(138, 172),
        scales=(MAJOR, MIXOLYDIAN),
        leads=("square", "pulse"),
        drums=(
            {"kick": "X...x...X...x...", "hat": "..x...x...x...x."},
            {"kick": "X..x..x.X..x..x.", "snare": "....X.......X...", "hat": "xxxxxxxxxxxxxxxx"},
        ),
        bass="triangle",
        bass_line=((0, 0), (0.5, 7), (1, 0), (1.5, 7), (2, 0), (2.5, 7), (3, 0), (3.5, 7)),
        broken="pulse",
        arpeggio=(0, 1, 2, 3, 2, 1, 0, 1, 0, 1, 2, 3, 2, 1, 0, 1),
        lengths=(0.25, 0.5, 0.5, 1.0),
        octave=2,
        echo=0.05,
    ),
    "neon": Style(
        tempo=(112, 132),
        scales=(MINOR, DORIAN),
        leads=("saw", "square"),
        drums=(
            {"kick": "X...X...X...X...", "hat": "..x...x...x...x.", "snare": "....x.......x..."},
            {"kick": "X...X...X...X.x.", "hat": "x.xxx.xxx.xxx.xx"},
        ),
        bass="saw bass",
        bass_line=tuple((n / 2, 0) for n in range(8)),
        pad="saw pad",
        lengths=(0.75, 0.75, 0.5, 1.5),
        density=0.7,
        echo=0.3,
    ),
    "orchard": Style(
        tempo=(88, 116),
        beats=3,
        scales=(DORIAN, MIXOLYDIAN, MAJOR),
        leads=("whistle", "pluck"),
        drums=({"shaker": "x.xxx.x.xxx."}, {"click": "X...x...x...", "shaker": "..x...x...x."}),
        bass="double bass",
        bass_line=((0, 0), (2, 4)),
        broken="harp",
        arpeggio=(0, 1, 2, 3, 2, 1),
        lengths=(0.5, 0.5, 1.0, 1.5),
        octave=1,
        echo=0.12,
    ),
    "nave": Style(
        tempo=(66, 88),
        scales=(HARMONIC, PHRYGIAN),
        leads=("horn", "strings"),
        drums=(
            {"timpani": "X.......x.....xx"},
            {"timpani": "X.....x.X.......", "snare": "x..xx.x."},
        ),
        bass="organ",
        bass_line=((0, 0), (2, 0)),
        pad="organ",
        lengths=(1.0, 1.0, 2.0),
        density=0.9,
        octave=0,
        echo=0.35,
    ),
    "lounge": Style(
        tempo=(118, 152),
        scales=(MAJOR, DORIAN, MIXOLYDIAN),
        leads=("vibraphone", "clarinet"),
        drums=(
            {"ride": "X.xX.xX.xX.x", "hat": "...x.....x.."},
            {"ride": "X..x.xX..x.x", "click": "......X....."},
        ),
        bass="double bass",
        bass_line=((0, 0), (1, 2), (2, 4), (3, 5)),
        chord=(0, 2, 4, 6),
        broken="electric piano",
        arpeggio=(0, 2, 3, 1),
        lengths=(0.67, 0.33, 1.0),
        density=0.75,
        echo=0.1,
    ),
}
