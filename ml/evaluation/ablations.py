"""What remains of the system under test when its codes are all, nothing, or another track's.

The system itself is computed from codes alone, so its own row is that of "codes only", too.
`WithoutCodes` is the same likeness over the encoder's own input, so that what the codes add is all
that is between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ml import artefact, audio, features, filters, gaussian
from ml.audio import Waveform
from ml.encoding import Encoding
from ml.evaluation.cache import source_digest
from ml.evaluation.metrics import Floats
from ml.evaluation.systems import System
from ml.features import Features
from ml.gaussian import Gaussians, divergences, gaussians
from ml.likeness import BLUR, Strangeness, mutual_proximity
from ml.model import Model
from ml.walk import walked


class CodesShuffled:
    """Gives each sound the codes of another one, and the embedding, which is made of them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, encodings: Sequence[Encoding]) -> Sequence[Encoding]:
        others = np.random.default_rng(self.seed).permutation(len(encodings))
        return [
            replace(own, codes=encodings[other].codes, embedding=encodings[other].embedding)
            for own, other in zip(encodings, others, strict=True)
        ]


_latest: list[tuple[Waveform, dict[str, Any], Features]] = []


def features_of(model: Model, waveform: Waveform) -> Features:
    """The features that the model hears; those of the same waveform are not computed twice."""
    settings = model.manifest["settings"]["features"]
    if not (_latest and _latest[0][0] is waveform and _latest[0][1] == settings):
        _latest[:] = [(waveform, settings, model.features(waveform))]
    return _latest[0][2]


class Inputs:
    """Describes a sound by one Gaussian over what the encoder is given, averaged as it averages."""

    name = "input"

    def __init__(self, folder: Path) -> None:
        self.model = Model.load(folder)
        self.stride: int = self.model.manifest["settings"]["stride"]
        sources = source_digest([audio, features, filters, gaussian])
        self.fingerprint = f"{artefact.digest(folder)} {sources}"

    def extract(self, waveform: Waveform) -> bytes:
        scaled = self.model.scaled(features_of(self.model, waveform))
        averaged = scaled.reshape(-1, self.stride, scaled.shape[1]).mean(axis=1)
        fitted = gaussian.fit([averaged], np.full(scaled.shape[1], BLUR))
        return np.column_stack([fitted.mean[0], fitted.covariance[0]]).tobytes()

    def restore(self, kept: bytes) -> Gaussians:
        numbers = np.frombuffer(kept)
        width = round((np.sqrt(4 * len(numbers) + 1) - 1) / 2)
        table = numbers.reshape(width, width + 1)
        return gaussians(table[None, :, 0], table[None, :, 1:])


class WithoutCodes(System):
    """The same likeness, without alignment, for there is no sequence of codes to lay along."""

    name = "without codes"
    extractor = Inputs.name

    def distances(
        self,
        queries: Sequence[Gaussians],
        catalogue: Sequence[Gaussians],
        *,
        left_out: bool = False,
    ) -> Floats:
        tracks = gaussian.joined(catalogue)
        among = divergences(tracks, tracks)
        own = ~np.eye(len(among), dtype=bool)
        asked = among if left_out else divergences(gaussian.joined(queries), tracks)
        known = own if left_out else np.ones(asked.shape, bool)
        theirs = _strangeness(among, own)
        between = mutual_proximity(among, theirs, theirs)
        proximity = mutual_proximity(asked, _strangeness(asked, known), theirs)
        found = np.full(asked.shape, np.inf)
        for row, allowed in enumerate(known):
            found[row, allowed] = walked(proximity[row, allowed], between[allowed][:, allowed])
        return found


def _strangeness(distances: Floats, known: np.ndarray) -> Strangeness:
    """Mean and spread (N,) of the known distances of each row."""
    mean = distances.mean(axis=1, where=known)
    return mean, distances.std(axis=1, where=known) + 1e-9
