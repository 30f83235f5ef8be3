"""Whether the codes of a model are used, and by whom.

Usage alone hides collapse: all codes may be in use while nearly all frames take a few of them
(perplexity), or while all code vectors lie on a line (effective rank, Roy and Vetterli 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.encoding import Encoding
from ml.evaluation.metrics import Floats, Integers


@dataclass(frozen=True)
class Codebook:
    """Figures of one codebook over a catalogue.

    Attributes:
        size: number of codes.
        counts: (size,) how often each is used.
        usage: share of the codes that are used at all.
        perplexity: how many codes an even use of them would come to.
        effective_rank: dimensions that the vectors of the codes in use fill, weighted by use.
        entropy: in bits, by soundtrack.
    """

    size: int
    counts: Integers
    usage: float
    perplexity: float
    effective_rank: float
    entropy: dict[str, float]


def codebooks(
    encodings: Sequence[Encoding], soundtracks: Sequence[str], vectors: Floats
) -> list[Codebook]:
    """Figures of each codebook.

    Args:
        encodings: of the catalogue.
        soundtracks: (N,) of the same tracks.
        vectors: (Q, K, d) of the codes.
    """
    found = []
    for stage, book in enumerate(vectors):
        columns = [encoding.codes[:, stage] for encoding in encodings]
        found.append(_codebook(columns, np.array(soundtracks), book))
    return found


def _codebook(columns: Sequence[Integers], soundtracks: np.ndarray, vectors: Floats) -> Codebook:
    size = len(vectors)
    tracks = np.stack([np.bincount(codes, minlength=size) for codes in columns])
    counts = tracks.sum(axis=0)
    return Codebook(
        size=size,
        counts=counts,
        usage=float(np.mean(counts > 0)),
        perplexity=float(2.0 ** entropy(counts)),
        effective_rank=effective_rank(vectors, counts),
        entropy={
            str(name): entropy(tracks[soundtracks == name].sum(axis=0))
            for name in np.unique(soundtracks)
        },
    )


def entropy(counts: Integers) -> float:
    """Entropy of a histogram in bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def effective_rank(vectors: Floats, counts: Integers) -> float:
    """Exponential of the entropy of the singular values of (K, d) vectors, weighted by use."""
    weights = counts / counts.sum()
    centred = vectors - weights @ vectors
    values = np.linalg.svd(np.sqrt(weights)[:, None] * centred, compute_uv=False)
    shares = values[values > 1e-9] / values.sum() if values.sum() > 0 else np.ones(1)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def reconstruction_error(encodings: Sequence[Encoding]) -> float | None:
    """Mean over the tracks, where the model says it of each (`Encoding.facts`)."""
    errors = [encoding.facts.get("reconstruction_error") for encoding in encodings]
    known = [error for error in errors if error is not None]
    return float(np.mean(known)) if known else None
