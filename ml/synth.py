"""A small synthesiser: composes and renders pieces that clearly differ, with numpy alone.

`compose` decides everything there is to hear (tempo, key, scale, chords, melody, instruments,
drums); `render` only turns that into samples. Same seed, same piece, same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ml.synth_styles import INSTRUMENTS, STYLES, Instrument, Style

SAMPLE_RATE = 22_050
PEAK = 0.8
_SECTION_BARS = 4


@dataclass(frozen=True)
class Piece:
    """A composition.

    Attributes:
        seed: of everything below.
        style: key of `ml.synth_styles.STYLES`.
        tempo: beats a minute.
        key: MIDI note of the tonic, 48 to 59.
        scale: semitones above the tonic, ascending.
        lead: key of `ml.synth_styles.INSTRUMENTS`.
        drums: step pattern of one bar by drum; X is loud, x soft, a dot silent.
        chords: scale degrees, one chord a bar; two sections of four bars.
        melody: (beat, degree, beats) of two sections.
        seconds: natural length.
    """

    seed: int
    style: str
    tempo: float
    key: int
    scale: tuple[int, ...]
    lead: str
    drums: dict[str, str]
    chords: tuple[tuple[int, ...], tuple[int, ...]]
    melody: tuple[tuple[tuple[float, int, float], ...], tuple[tuple[float, int, float], ...]]
    seconds: float


@dataclass(frozen=True)
class _Note:
    """Beat, length in beats, MIDI note and gain of what an instrument or a drum plays."""

    beat: float
    beats: float
    pitch: int
    gain: float
    voice: str


def compose(seed: int, style: str | None = None) -> Piece:
    """Compose a piece.

    Args:
        seed: not negative; any two give different pieces.
        style: key of `ml.synth_styles.STYLES`; without it, consecutive seeds go through all.
    """
    name = style or list(STYLES)[seed % len(STYLES)]
    manner, random = STYLES[name], np.random.default_rng(seed)
    scale = manner.scales[random.integers(len(manner.scales))]
    return Piece(
        seed=seed,
        style=name,
        tempo=round(float(random.uniform(*manner.tempo)), 1),
        key=int(random.integers(48, 60)),
        scale=scale,
        lead=manner.leads[random.integers(len(manner.leads))],
        drums=manner.drums[random.integers(len(manner.drums))],
        chords=(_progression(random), _progression(random)),
        melody=(_melody(random, manner), _melody(random, manner)),
        seconds=float(random.integers(40, 61)),
    )


def _progression(random: np.random.Generator) -> tuple[int, ...]:
    """Four degrees from the tonic, no two neighbours alike."""
    degrees = [0]
    while len(degrees) < _SECTION_BARS:
        degrees.append(int(random.choice([d for d in (0, 1, 2, 3, 4, 5) if d != degrees[-1]])))
    return tuple(degrees)


def _melody(random: np.random.Generator, manner: Style) -> tuple[tuple[float, int, float], ...]:
    """A section's tune: steps of a wandering degree, repeated with another ending."""
    half = manner.beats * _SECTION_BARS // 2
    lengths, degree = np.array(manner.lengths), int(random.integers(0, 7))
    motif, beat = [], 0.0
    while beat < half:
        length = float(min(random.choice(lengths), half - beat))
        if random.random() < manner.density:
            motif.append((beat, degree, length))
        degree = int(np.clip(degree + random.choice([-3, -2, -1, 1, 2, 3]), -3, 11))
        beat += length
    answer = [(b + half, d + (2 if b > half / 2 else 0), n) for b, d, n in motif]
    return tuple(motif + answer)


def render(
    piece: Piece, seconds: float | None = None, *, sample_rate: int = SAMPLE_RATE
) -> np.ndarray:
    """Play a piece.

    Args:
        piece: from `compose`.
        seconds: length, by default the piece's own; the form repeats as long as needed.
        sample_rate: in Hz.

    Returns:
        Mono float32 of shape (seconds * sample_rate,), peak `PEAK`, with short fades at the ends.
    """
    length = round((piece.seconds if seconds is None else seconds) * sample_rate)
    out, played = np.zeros(length, np.float32), {}
    beat = 60.0 / piece.tempo
    for note in _score(piece, length / sample_rate / beat):
        sound = (note.voice, note.pitch, round(note.beats * beat, 4))
        if sound not in played:
            played[sound] = _sound(*sound, sample_rate)
        start = round(note.beat * beat * sample_rate)
        heard = played[sound][: max(0, length - start)]
        out[start : start + len(heard)] += note.gain * heard
    return _master(out, STYLES[piece.style].echo, beat, sample_rate)


def _score(piece: Piece, beats: float) -> Iterator[_Note]:
    """Every note of so many beats: sections A, A, B, A, the first without its lead."""
    manner, bar, start = STYLES[piece.style], 0, 0.0
    while start < beats:
        turn = bar // _SECTION_BARS
        part = 1 if turn % 4 == 2 else 0
        root = piece.chords[part][bar % _SECTION_BARS]
        yield from _harmony(piece, manner, root, start)
        if turn > 0:
            yield from _drums(piece, manner, start)
            yield from _tune(piece, manner, part, bar % _SECTION_BARS, start)
        bar, start = bar + 1, start + manner.beats


def _pitch(piece: Piece, degree: int) -> int:
    """MIDI note of a scale degree, which may lie in any octave."""
    octave, step = divmod(degree, len(piece.scale))
    return piece.key + 12 * octave + piece.scale[step]


def _harmony(piece: Piece, manner: Style, root: int, start: float) -> Iterator[_Note]:
    """One bar of chord, broken chord and bass."""
    chord = [_pitch(piece, root + third) for third in manner.chord]
    for pitch in chord if manner.pad else ():
        yield _Note(start, manner.beats, pitch, 0.16, manner.pad)
    for step, index in enumerate(manner.arpeggio):
        at = start + step * manner.beats / len(manner.arpeggio)
        yield _Note(at, 0.5, chord[index % len(chord)] + 12, 0.16, manner.broken)
    for at, degree in manner.bass_line:
        yield _Note(start + at, 0.9, _pitch(piece, root + degree) - 12, 0.34, manner.bass)


def _drums(piece: Piece, manner: Style, start: float) -> Iterator[_Note]:
    """One bar of percussion."""
    for drum, pattern in piece.drums.items():
        step = manner.beats / len(pattern)
        for index, mark in enumerate(pattern):
            if mark != ".":
                yield _Note(start + index * step, 0.0, 0, 0.5 if mark == "X" else 0.28, drum)


def _tune(piece: Piece, manner: Style, part: int, bar: int, start: float) -> Iterator[_Note]:
    """The melody's notes that begin in one bar of a section."""
    first = bar * manner.beats
    for at, degree, beats in piece.melody[part]:
        if first <= at < first + manner.beats:
            pitch = _pitch(piece, degree) + manner.octave * 12
            yield _Note(start + at - first, beats, pitch, 0.3, piece.lead)


def _sound(voice: str, pitch: int, seconds: float, sample_rate: int) -> np.ndarray:
    """One note of an instrument, or one beat of a drum, as float32 of its own length."""
    if voice in INSTRUMENTS:
        return _tone(INSTRUMENTS[voice], pitch, seconds, sample_rate)
    return _drum(voice, sample_rate)


def _tone(instrument: Instrument, pitch: int, seconds: float, sample_rate: int) -> np.ndarray:
    """Additive synthesis: partials of which the higher ones die sooner, with attack and release."""
    count = round((seconds + instrument.release) * sample_rate)
    time = np.arange(count, dtype=np.float32) / sample_rate
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    wobble = instrument.vibrato * np.sin(2 * np.pi * 5.5 * time) / 5.5
    turns = (frequency * (time + wobble)).astype(np.float32)
    wave = np.zeros(count, np.float32)
    for ratio, gain in instrument.partials:
        if frequency * ratio < 0.45 * sample_rate:
            partial = gain * np.sin(2 * np.pi * np.float32(ratio) * (turns % np.float32(1000)))
            wave += partial * np.exp(-time * (instrument.decay * ratio**instrument.damping))
    envelope = np.minimum(1.0, time / instrument.attack)
    envelope *= np.clip((seconds + instrument.release - time) / instrument.release, 0.0, 1.0)
    return wave * envelope.astype(np.float32)


def _drum(name: str, sample_rate: int) -> np.ndarray:
    """One beat of a drum: a falling tone, noise, or both."""
    tone, fall, tone_decay, noise, noise_decay, bright = DRUMS[name]
    time = np.arange(round(0.5 * sample_rate), dtype=np.float32) / sample_rate
    sweep = tone * time + fall * (1 - np.exp(-time * 30)) / 30
    hiss = np.random.default_rng(0).uniform(-1, 1, len(time)).astype(np.float32)
    noises = np.diff(hiss, prepend=0) if bright else np.convolve(hiss, np.ones(6) / 6, "same")
    wave = np.sin(2 * np.pi * sweep) * np.exp(-time * tone_decay) * (tone > 0)
    return (wave + noise * noises * np.exp(-time * noise_decay)).astype(np.float32)


# name: tone in Hz, its fall in Hz, decay a second; noise gain, decay a second, bright?
DRUMS = {
    "kick": (48.0, 180.0, 9.0, 0.05, 60.0, False),
    "snare": (180.0, 60.0, 22.0, 0.8, 16.0, False),
    "hat": (0.0, 0.0, 1.0, 0.35, 55.0, True),
    "ride": (0.0, 0.0, 1.0, 0.22, 9.0, True),
    "shaker": (0.0, 0.0, 1.0, 0.3, 28.0, True),
    "timpani": (73.0, 25.0, 5.0, 0.3, 25.0, False),
    "click": (1500.0, 0.0, 80.0, 0.1, 80.0, True),
}


def _master(wave: np.ndarray, echo: float, beat: float, sample_rate: int) -> np.ndarray:
    """Two echoes, a soft limit, one peak for all pieces, and fades of 20 ms."""
    dry, delay = wave.copy(), round(0.75 * beat * sample_rate)
    for times in (1, 2):
        wave[times * delay :] += echo**times * dry[: max(0, len(dry) - times * delay)]
    wave = np.tanh(wave / (4 * np.sqrt(np.mean(wave**2)) + 1e-9))
    fade = min(len(wave) // 2, round(0.02 * sample_rate))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    wave[:fade] *= ramp
    wave[len(wave) - fade :] *= ramp[::-1]
    return (PEAK * wave / max(float(np.abs(wave).max(initial=0.0)), 1e-9)).astype(np.float32)
