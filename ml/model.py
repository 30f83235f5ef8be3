"""A trained model at work: features, codes and embedding. LiteRT; worker only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ml import artefact
from ml.artefact import DECODER, ENCODER
from ml.audio import Sound, Waveform
from ml.encoding import Encoding
from ml.facts import facts
from ml.features import ROWS, Features, FeatureSettings, extract, level_of, levelled, mfcc
from ml.likeness import LOCATED, Match, Piece, rank
from ml.reasons import Codes, Reason, reasons
from ml.several import rank_several
from ml.space import Space
from ml.strip import strip

_PART = 8192  # frames that go through the encoder at once: three minutes
_AROUND = 64  # its codes depend on 13 frames before or after them; both are multiples of a stride


class Model:
    """A model version, loaded from its artefact folder after its digests were checked.

    Attributes:
        manifest: of the artefact.
        space: codebooks and what likeness is computed from.
    """

    def __init__(self, manifest: dict[str, Any], space: Space, folder: Path) -> None:
        self.manifest, self.space, self._folder = manifest, space, folder
        self._encoder = _interpreter(folder / ENCODER)
        self._features = FeatureSettings(**manifest["settings"]["features"])
        self._stride: int = manifest["settings"]["stride"]

    @classmethod
    def load(cls, folder: Path, *, sha256: str | None = None) -> Model:
        """Load an artefact.

        Args:
            sha256: the digest that it must have, if known.

        Raises:
            ArtefactError: `artefact-missing`, `artefact-format` or `artefact-digest`.
        """
        manifest = artefact.verify(folder, sha256=sha256)
        return cls(manifest, Space.load(folder), folder)

    def warm_up(self) -> Encoding:
        """Hear some noise, so that the first piece need not wait for filters and plans."""
        noise = np.random.default_rng(0).normal(0, 0.1, 10 * self._features.sample_rate)
        rate = self._features.sample_rate
        return self.encode(self.features(Waveform(noise.astype(np.float32), rate)))

    def features(self, sound: Sound) -> Features:
        """The features that this version was trained on."""
        return extract(sound, self._features)

    def encode(self, features: Features) -> Encoding:
        """Codes, embedding and facts of a piece."""
        codes = self.codes_of_scaled(self.scaled(features))
        return Encoding(
            embedding=self.embedding(codes),
            codes=codes,
            code_seconds=self.manifest["code_seconds"],
            duration=features.duration,
            facts=facts(features),
        )

    def embedding(self, codes: np.ndarray) -> np.ndarray:
        """Embedding (D,), float32, of codes (T, Q)."""
        gaussian = Piece(codes, self.manifest["code_seconds"], self.space).gaussian
        return self.space.embedding(gaussian)[0].astype(np.float32)

    def rank(
        self,
        query: Encoding,
        candidates: Mapping[int, Piece],
        located: int = LOCATED,
        beside: Sequence[Piece] = (),
    ) -> list[Match]:
        """Second stage of the search, see `ml.likeness.rank`."""
        return rank(self.piece(query), candidates, located, beside)

    def rank_several(
        self,
        likes: Iterable[Encoding],
        candidates: Mapping[int, Piece],
        unlikes: Iterable[Encoding] = (),
        beside: Sequence[Piece] = (),
    ) -> list[Match]:
        """The candidates by likeness to several pieces at once, see `ml.several`."""
        return rank_several(self._pieces(likes), candidates, self._pieces(unlikes), beside)

    def part(self, whole: Encoding, start: float, end: float) -> Encoding:
        """The encoding of a stretch of a piece, in seconds, from the codes of the whole.

        The facts are left out: they were measured on the whole.
        """
        first, last = (round(second / whole.code_seconds) for second in (start, end))
        codes = whole.codes[first : max(last, first + 1)]
        return Encoding(self.embedding(codes), codes, whole.code_seconds, end - start, {})

    def _pieces(self, heard: Iterable[Encoding]) -> list[Piece]:
        return [self.piece(each) for each in heard]

    def reasons(self, yours: Encoding, theirs: Encoding) -> list[Reason]:
        """Why two pieces sound alike, see `ml.reasons.reasons`."""
        return reasons(yours, theirs, self._rarities)

    def strip(self, heard: Encoding) -> bytes:
        """The codes of a piece as a picture, see `ml.strip.strip`."""
        return strip(heard.codes, self.space)

    @cached_property
    def _rarities(self) -> Codes:
        return Codes(self.space)

    def piece(self, heard: Encoding) -> Piece:
        """What is heard as likeness needs it."""
        return Piece(heard.codes, heard.code_seconds, self.space)

    def reconstruction_error(self, features: Features, encoding: Encoding) -> float:
        """Mean square error of the frames that the codes decode to; 1 is the music's variance."""
        scaled = self.scaled(features)
        decoded = _run(self._decoder, self.space.latents(encoding.codes))
        return float(np.mean(np.square(decoded - scaled)))

    @cached_property
    def _decoder(self) -> Interpreter:
        return _interpreter(self._folder / DECODER)

    def scaled(self, features: Features) -> np.ndarray:
        """The encoder's input (T, n_mfcc); the last frame fills T up to a multiple of stride."""
        log_mel, missing = features.log_mel, -len(features.log_mel) % self._stride
        level = level_of(np.pad(features.power, (0, missing), mode="edge"))
        blocks = [log_mel[first : first + ROWS] for first in range(0, len(log_mel), ROWS)]
        blocks[-1] = np.pad(blocks[-1], ((0, missing), (0, 0)), mode="edge")
        return np.concatenate([self._scaled(levelled(block, level)) for block in blocks])

    def _scaled(self, frames: np.ndarray) -> np.ndarray:
        coefficients = mfcc(frames, self._features.n_mfcc)
        scaled = (coefficients - self.space.input_mean) / self.space.input_std
        found: np.ndarray = scaled.astype(np.float32)
        return found

    def codes_of_scaled(self, scaled: np.ndarray) -> np.ndarray:
        """Codes (T / stride, Q), uint16, of scaled frames (T, n_mfcc), T a multiple of stride.

        Long pieces go through the encoder in parts, each with the frames around it that its codes
        depend on.
        """
        return np.concatenate([self._part(scaled, at) for at in range(0, len(scaled), _PART)])

    def _part(self, scaled: np.ndarray, start: int) -> np.ndarray:
        before = max(start - _AROUND, 0)
        codes = _run(self._encoder, scaled[before : start + _PART + _AROUND])
        first = (start - before) // self._stride
        return codes[first : first + _PART // self._stride].astype(np.uint16)


def _interpreter(path: Path) -> Interpreter:
    return Interpreter(model_path=str(path), num_threads=1)


def _run(interpreter: Interpreter, frames: np.ndarray) -> np.ndarray:
    """What a half of the model makes of one piece (T, width)."""
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, (1, *frames.shape))
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, frames[None])
    interpreter.invoke()
    found: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return found[0]
