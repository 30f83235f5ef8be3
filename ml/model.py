"""A trained model at work: features, codes and embedding. LiteRT, librosa; worker only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ml import artefact, likeness
from ml.audio import Waveform
from ml.encoding import Encoding
from ml.excerpts import levelled
from ml.facts import facts
from ml.features import Features, FeatureSettings, extract, mfcc
from ml.space import Space

ENCODER = "encoder.tflite"


class Model:
    """A model version, loaded from its artefact folder after its digests were checked.

    Attributes:
        manifest: of the artefact.
        space: codebooks and what likeness is computed from.
    """

    def __init__(self, manifest: dict[str, Any], space: Space, interpreter: Interpreter) -> None:
        self.manifest, self.space, self._interpreter = manifest, space, interpreter
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
        interpreter = Interpreter(model_path=str(folder / ENCODER), num_threads=1)
        return cls(manifest, Space.load(folder), interpreter)

    def warm_up(self) -> None:
        """Let librosa compile and LiteRT plan before the first piece comes."""
        noise = np.random.default_rng(0).normal(0, 0.1, 10 * self._features.sample_rate)
        self.encode(self.features(Waveform(noise.astype(np.float32), self._features.sample_rate)))

    def features(self, waveform: Waveform) -> Features:
        """The features that this version was trained on."""
        return extract(waveform, self._features)

    def encode(self, features: Features) -> Encoding:
        """Codes, embedding and facts of a piece."""
        codes = self._codes(features.log_mel)
        return Encoding(
            embedding=self.embedding(codes),
            codes=codes,
            code_seconds=self.manifest["code_seconds"],
            duration=features.duration,
            facts=facts(features),
        )

    def embedding(self, codes: np.ndarray) -> np.ndarray:
        """Embedding (D,), float32, of codes (T, Q)."""
        return self.space.embedding(likeness.piece([codes], self.space))[0].astype(np.float32)

    def rank(self, query: Encoding, candidates: Mapping[int, Encoding]) -> list[likeness.Match]:
        """Second stage of the search, see `ml.likeness.rank`."""
        return likeness.rank(query, candidates, self.space)

    def _codes(self, log_mel: np.ndarray) -> np.ndarray:
        """Codes (T / stride, Q) of log-mel frames (T, n_mels)."""
        missing = -len(log_mel) % self._stride
        frames = levelled(np.pad(log_mel, ((0, missing), (0, 0)), mode="edge"))
        coefficients = mfcc(frames, self._features.n_mfcc)
        scaled = (coefficients - self.space.input_mean) / self.space.input_std
        return self.codes_of_scaled(scaled.astype(np.float32))

    def codes_of_scaled(self, scaled: np.ndarray) -> np.ndarray:
        """Codes (T / stride, Q), uint16, of scaled frames (T, n_mfcc), T a multiple of stride."""
        place = self._interpreter.get_input_details()[0]["index"]
        self._interpreter.resize_tensor_input(place, (1, *scaled.shape))
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(place, scaled[None])
        self._interpreter.invoke()
        found = self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])
        return found[0].astype(np.uint16)
