"""From codes to likeness: the second stage of the search and the score shown to people.

Everything here is computed from codes: one Gaussian of the quantised latents a piece, corrected
for hubs (mutual proximity, Schnitzer et al., JMLR 13:2871), and the alignment of code sequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from ml.alignment import Alignment, Span, align, pool_for, steps
from ml.encoding import Encoding
from ml.gaussian import Gaussians, divergences, fit
from ml.space import Space

SAME_RECORDING = 0.45  # strength of alignment; see docs/model-card.md
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


def rank(query: Encoding, candidates: Mapping[int, Encoding], space: Space) -> list[Match]:
    """Rank candidates by likeness to the query, closest first."""
    if not candidates:
        return []
    keys = list(candidates)
    latents = {key: space.latents(candidates[key].codes) for key in keys}
    heard = space.latents(query.codes)
    distances = timbre_distances(heard, list(latents.values()), space)
    order = np.argsort(distances, kind="stable")
    pool = pool_for(len(heard))
    query_steps = steps(heard, space.latent_std, pool)
    matches = []
    for index in order:
        other = steps(latents[keys[index]], space.latent_std, pool)
        found = align(query_steps, other, pool * query.code_seconds)
        matches.append(_match(keys[index], float(distances[index]), found))
    return sorted(matches, key=lambda match: match.distance)


def _match(key: int, distance: float, found: Alignment) -> Match:
    """A recording that is heard again is closer than anything that only sounds alike."""
    same = found.strength >= SAME_RECORDING
    return Match(key, SAME_SCALE * (1.0 - found.strength) if same else distance, same, found.spans)


def timbre_distances(query: np.ndarray, others: Sequence[np.ndarray], space: Space) -> np.ndarray:
    """Distances (M,) of latents (T, d) to the latents of M other pieces, corrected for hubs."""
    blur = BLUR * np.square(space.latent_std)
    one, many = fit([query], blur), fit(others, blur)
    raw = divergences(one, many)[0]
    return mutual_proximity(raw, space.strangeness(one), space.strangeness(many))


def mutual_proximity(
    distances: np.ndarray,
    one: tuple[np.ndarray, np.ndarray],
    many: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Minus the log of the chance that two pieces are further apart than this from either side.

    Args:
        distances: (M,) from one piece to many.
        one, many: mean and spread of the distances of that piece, and of each of the many.
    """
    far_from_one = log_ndtr((one[0] - distances) / one[1])
    far_from_many = log_ndtr((many[0] - distances) / many[1])
    return -(far_from_one + far_from_many)


def piece(codes: Sequence[np.ndarray], space: Space) -> Gaussians:
    """The Gaussians of pieces given by their codes (T, Q)."""
    return fit([space.latents(each) for each in codes], BLUR * np.square(space.latent_std))


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
