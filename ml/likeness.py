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

from ml.alignment import Alignment, Span, Steps, align, parts, steps, strength
from ml.gaussian import Gaussians, divergences, fit, joined
from ml.space import Space
from ml.variants import variants
from ml.walk import walked

# How far the strength of an alignment must stand out from those of the other candidates to mean
# the same recording; see docs/model-card.md. A long query has more chances to resemble something.
DISTINCT = 0.25
DISTINCT_LONG = 0.38
DISTINCT_VARIANT = 0.32
LONG_SECONDS = 60.0
ORDINARY = [0.15] * 10  # strengths that stand in where there are few other candidates
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

    @cached_property
    def gaussian(self) -> Gaussians:
        """One Gaussian over the quantised latents."""
        return fit([self.latents], BLUR * np.square(self.space.latent_std))

    @cached_property
    def strangeness(self) -> Strangeness:
        """Mean and spread of its distances from the reference sample, (1,) each."""
        return self.space.strangeness(self.gaussian)

    @cached_property
    def steps(self) -> Steps:
        """For an alignment."""
        return steps(self.latents, self.space.latent_std, self.row_seconds)

    @cached_property
    def seconds(self) -> float:
        """Its length."""
        return len(self.latents) * self.row_seconds


def rank(query: Piece, candidates: Mapping[int, Piece]) -> list[Match]:
    """Rank candidates by likeness to the query, closest first."""
    if not candidates:
        return []
    others = list(candidates.values())
    distances = timbre_distances(query, others).tolist()
    matches = map(_match, candidates, distances, *alignments(query, others))
    return sorted(matches, key=lambda match: match.distance)


def alignments(query: Piece, others: Sequence[Piece]) -> tuple[list[Alignment], list[bool]]:
    """The query laid along each of the others, and which of them it is the same recording as.

    Where an excerpt is none of them, its variants at other pitches and tempi are tried.
    """
    along, is_long = parts(query.steps), query.seconds > LONG_SECONDS
    found = [_best(along, other) for other in others]
    strengths = [each.strength for each in found]
    same = distinct(strengths, DISTINCT_LONG if is_long else DISTINCT)
    if is_long or any(same):
        return found, same
    changed = variants(query.latents, query.row_seconds, query.space)
    again = [_best(changed, other) for other in others]
    same = distinct([each.strength for each in again], DISTINCT_VARIANT)
    pairs = zip(found, again, same, strict=True)
    return [better if is_same else plain for plain, better, is_same in pairs], same


def _best(alternatives: Sequence[Steps], other: Piece) -> Alignment:
    """The strongest alignment of any of these with the other."""
    if len(alternatives) == 1:
        return align(alternatives[0], other.steps)
    return align(max(alternatives, key=partial(strength, other=other.steps)), other.steps)


def distinct(strengths: Sequence[float], least: float) -> list[bool]:
    """Which strengths stand out by so much from what is usual among the candidates."""
    usual = float(np.median([*strengths, *ORDINARY]))
    return [each - usual >= least for each in strengths]


def _match(key: int, distance: float, found: Alignment, same: bool) -> Match:
    """A recording that is heard again is closer than anything that only sounds alike."""
    if same:
        distance = SAME_SCALE * (1.0 - found.strength)
    return Match(key, distance, same, found.spans)


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
