"""From codes to likeness: the second stage of the search and the score shown to people.

Everything here is computed from codes: one Gaussian of the quantised latents a piece, corrected
for hubs (mutual proximity, Schnitzer et al., JMLR 13:2871) and along the catalogue's manifold
(`ml.walk`), and the alignment of code sequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy.special import log_ndtr

from ml.alignment import Span, Steps, align, parts, steps, strength
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
LOCATED = 10
BLUR = 0.02  # variance added to a latent dimension, as a share of its variance over the catalogue


@dataclass(frozen=True)
class Match:
    """One ranked candidate.

    Attributes:
        key: what the caller called it.
        distance: 0 or more, smaller is closer; only comparable within one model version.
        same_recording: query and candidate hold the same recording, or one an excerpt of the other.
        spans: where they match, in seconds, best first; empty where they were not asked for.
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
        self.codes, self.row_seconds, self.space = codes, code_seconds, space
        # Mean and spread of its distances from the reference sample, see `strangeness`.
        self.strangeness: tuple[float, float] | None = None

    @cached_property
    def latents(self) -> np.ndarray:
        """(T, d), quantised."""
        return self.space.latents(self.codes)

    @cached_property
    def gaussian(self) -> Gaussians:
        """One Gaussian over the quantised latents."""
        return fit([self.latents], BLUR * np.square(self.space.latent_std))

    @cached_property
    def steps(self) -> Steps:
        """For an alignment."""
        return steps(self.latents, self.space.latent_std, self.row_seconds)

    @cached_property
    def seconds(self) -> float:
        """Its length."""
        return len(self.codes) * self.row_seconds

    def prepare(self) -> None:
        """Make what a candidate is ranked by, to be kept, and forget what that was made from."""
        _ = self.gaussian, self.steps
        vars(self).pop("latents", None)


def rank(
    query: Piece,
    candidates: Mapping[int, Piece],
    located: int = LOCATED,
    beside: Sequence[Piece] = (),
) -> list[Match]:
    """Rank candidates by likeness to the query, closest first.

    Args:
        located: so many of the closest are told with their spans, which take a while to find.
        beside: other pieces of the catalogue, which are not ranked. Candidates that were chosen
            by other means than likeness get the distances that they have among these.
    """
    if not candidates:
        return []
    others = list(candidates.values())
    distances = timbre_distances(query, [*others, *beside])[: len(others)].tolist()
    heard = recognised(query, others)
    found = sorted(map(_unplaced, candidates, distances, heard), key=lambda match: match.distance)
    asked = {key: each.asked for key, each in zip(candidates, heard, strict=True)}
    placed = [
        replace(match, spans=_spans(asked[match.key], candidates[match.key]))
        for match in found[:located]
    ]
    return placed + found[located:]


@dataclass(frozen=True)
class Recognition:
    """What laying a query along one candidate told.

    Attributes:
        strength: of the best alignment.
        same: it stands out, so that both are the same recording.
        asked: parts or variants of the query, one of which is the one laid so well.
    """

    strength: float
    same: bool
    asked: Sequence[Steps]


def recognised(query: Piece, others: Sequence[Piece]) -> list[Recognition]:
    """The query laid along each of the others.

    Where an excerpt is none of them, its variants at other pitches and tempi are tried.
    """
    is_long = query.seconds > LONG_SECONDS
    found = _laid(parts(query.steps), others, DISTINCT_LONG if is_long else DISTINCT)
    if is_long or any(each.same for each in found):
        return found
    changed = variants(query.latents, query.row_seconds, query.space)
    again = _laid(changed, others, DISTINCT_VARIANT)
    return [better if better.same else plain for plain, better in zip(found, again, strict=True)]


def _laid(asked: Sequence[Steps], others: Sequence[Piece], least: float) -> list[Recognition]:
    strengths = [max(strength(each, other.steps) for each in asked) for other in others]
    same = distinct(strengths, least)
    return [Recognition(*each, asked) for each in zip(strengths, same, strict=True)]


def _unplaced(key: int, distance: float, heard: Recognition) -> Match:
    """A recording that is heard again is closer than anything that only sounds alike."""
    if heard.same:
        distance = SAME_SCALE * (1.0 - heard.strength)
    return Match(key, distance, heard.same, ())


def _spans(asked: Sequence[Steps], other: Piece) -> tuple[Span, ...]:
    """Where the one that lies best along the other does."""
    best = max(asked, key=partial(strength, other=other.steps)) if len(asked) > 1 else asked[0]
    return align(best, other.steps).spans


def distinct(strengths: Sequence[float], least: float) -> list[bool]:
    """Which strengths stand out by so much from what is usual among the candidates."""
    usual = float(np.median([*strengths, *ORDINARY]))
    return [each - usual >= least for each in strengths]


def timbre_distances(query: Piece, others: Sequence[Piece]) -> np.ndarray:
    """Distances (M,) from the query to M other pieces, see `distances_from`."""
    found: np.ndarray = distances_from([query], others)[0]
    return found


def distances_from(queries: Sequence[Piece], others: Sequence[Piece]) -> np.ndarray:
    """Distances (Q, M) from each query to M other pieces.

    The divergences of their Gaussians, corrected for hubs, then for chance resemblances.
    """
    pieces, first = [*queries, *others], len(queries)
    together = joined([piece.gaussian for piece in pieces])
    strange = strangeness(pieces)
    proximity = mutual_proximity(divergences(together, together), strange, strange)
    among = proximity[first:, first:]
    return np.stack([walked(row[first:], among) for row in proximity[:first]])


def strangeness(pieces: Sequence[Piece]) -> Strangeness:
    """Mean and spread (N,) of each piece's distances from the reference sample.

    Pieces that do not know theirs learn it all at once: by one product of matrices.
    """
    unknown = [piece for piece in pieces if piece.strangeness is None]
    if unknown:
        found = unknown[0].space.strangeness(joined([piece.gaussian for piece in unknown]))
        for piece, mean, spread in zip(unknown, *found, strict=True):
            piece.strangeness = float(mean), float(spread)
    known = np.array([piece.strangeness for piece in pieces])
    return known[:, 0], known[:, 1]


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
