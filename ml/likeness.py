"""From codes to likeness: the second stage of the search and the score shown to people.

Everything here is computed from codes: one Gaussian of the quantised latents a piece, corrected
for hubs (mutual proximity, Schnitzer et al., JMLR 13:2871) and along the catalogue's manifold
(`ml.walk`), and the alignment of code sequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.special import log_ndtr

from ml.alignment import POOL, Alignment, Span, Steps, align, pool_for, steps, strength
from ml.gaussian import Gaussians, divergences, fit, joined
from ml.space import Space
from ml.variants import variants
from ml.walk import walked

SAME_RECORDING = 0.42  # strength of alignment; see docs/model-card.md
SAME_SCALE = 1e-3  # below every distance of two pieces that only sound alike
BLUR = 0.02  # variance added to a latent dimension, as a share of its variance over the catalogue


@dataclass(frozen=True)
class Match:
    """One ranked candidate.

    Attributes:
        key: what the caller called it.
        distance: 0 or more, smaller is closer; only comparable within one model version.
        same_recording: query and candidate hold the same recording, or one an excerpt of the other.
        spans: where they match, in seconds, best first.
    """

    key: int
    distance: float
    same_recording: bool
    spans: tuple[Span, ...]


Strangeness = tuple[np.ndarray, np.ndarray]


class Piece:
    """A piece as likeness needs it: everything is made from its codes, once and when asked for.

    Args:
        codes: (T, Q).
        code_seconds: seconds from one row to the next.
        space: of the model version that gave the codes.
    """

    def __init__(self, codes: np.ndarray, code_seconds: float, space: Space) -> None:
        self.latents, self.row_seconds, self.space = space.latents(codes), code_seconds, space
        self._steps: dict[int, Steps] = {}

    @cached_property
    def gaussian(self) -> Gaussians:
        """One Gaussian over the quantised latents."""
        return fit([self.latents], BLUR * np.square(self.space.latent_std))

    @cached_property
    def strangeness(self) -> Strangeness:
        """Mean and spread of its distances from the reference sample, (1,) each."""
        return self.space.strangeness(self.gaussian)

    def steps(self, pool: int) -> Steps:
        """For an alignment, so many rows to a step."""
        if pool not in self._steps:
            std = self.space.latent_std
            self._steps[pool] = steps(self.latents, std, self.row_seconds, pool=pool)
        return self._steps[pool]


def rank(query: Piece, candidates: Mapping[int, Piece]) -> list[Match]:
    """Rank candidates by likeness to the query, closest first."""
    if not candidates:
        return []
    others = list(candidates.values())
    distances = timbre_distances(query, others).tolist()
    matches = map(_match, candidates, distances, alignments(query, others))
    return sorted(matches, key=lambda match: match.distance)


def alignments(query: Piece, others: Sequence[Piece]) -> list[Alignment]:
    """The query laid along each of the others; at other pitches and tempi if it is none of them."""
    pool = pool_for(len(query.latents))
    found = [align(query.steps(pool), other.steps(pool)) for other in others]
    if any(map(_same, found)):
        return found
    changed = variants(query.latents, query.row_seconds, query.space)
    for index, other in enumerate(others):
        along = other.steps(POOL)
        best = max(changed, key=partial(strength, other=along))
        if _same(again := align(best, along)):
            found[index] = again
    return found


def _same(found: Alignment) -> bool:
    return found.strength >= SAME_RECORDING


def _match(key: int, distance: float, found: Alignment) -> Match:
    """A recording that is heard again is closer than anything that only sounds alike."""
    if _same(found):
        distance = SAME_SCALE * (1.0 - found.strength)
    return Match(key, distance, _same(found), found.spans)


def timbre_distances(query: Piece, others: Sequence[Piece]) -> np.ndarray:
    """Distances (M,) from the query to M other pieces.

    The divergences of their Gaussians, corrected for hubs, then for chance resemblances.
    """
    pieces = [query, *others]
    together = joined([piece.gaussian for piece in pieces])
    mean, spread = np.hstack([piece.strangeness for piece in pieces])
    strangeness = (mean, spread)
    proximity = mutual_proximity(divergences(together, together), strangeness, strangeness)
    return walked(proximity[0, 1:], proximity[1:, 1:])


def mutual_proximity(distances: np.ndarray, ones: Strangeness, others: Strangeness) -> np.ndarray:
    """Minus the log of the chance that two pieces are further apart than this from either side.

    Args:
        distances: (N, M) between pieces.
        ones, others: mean and spread, (N,) and (M,) each, of their distances from a sample.
    """
    farther = log_ndtr((ones[0][:, None] - distances) / ones[1][:, None])
    farther += log_ndtr((others[0] - distances) / others[1])
    proximity: np.ndarray = -farther
    return proximity


def score(distance: float, nearest: Sequence[float]) -> float:
    """How many per cent of the catalogue's own nearest distances (leave one out) are larger.

    Args:
        distance: of a match.
        nearest: of every catalogue track (or a sample) to its nearest other track.

    Returns:
        0 to 100; 50 where there is nothing to compare with.
    """
    if not len(nearest):
        return 50.0
    return float(100.0 * np.mean(np.asarray(nearest) > distance))
