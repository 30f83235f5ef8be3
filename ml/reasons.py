"""Why two pieces sound alike: the measures in which they are closest, each with its numbers.

All reasons share one scale: the strength of a closeness is the share of pairs of catalogue tracks
that are further apart in that measure. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ml.encoding import Encoding
from ml.space import Space

MOST = 3
LEAST = 0.8  # closer than four of five pairs are; less is no reason to call two pieces alike
CLEAR_KEY = 0.6
CLEAR_TEMPO = 0.2
COUNTED = 0.5  # onsets a second, of which fewer are too few to be compared
RARE = 0.1  # of the reference sample's pieces
_SAMPLES = 400  # of each reference piece: half a minute

Reason = dict[str, Any]
Facts = Mapping[str, float]

# So many of all pairs of tracks are closer than the distance in the same column, by measure.
# `python -m benchmarks.answers` measures it.
SHARES = (0.0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2)
TYPICAL = {
    "codes": (0.0, 0.5379, 0.6589, 0.6994, 0.752, 0.7948, 0.823, 0.8431),
    "tempo": (0.0, 0.0, 0.0, 0.0, 0.0194, 0.0461, 0.0704, 0.097),
    "brightness": (0.0, 0.0009, 0.0093, 0.0193, 0.0488, 0.0938, 0.1414, 0.1879),
    "loudness": (0.0, 0.0, 0.06, 0.13, 0.32, 0.63, 0.96, 1.27),
    "dynamics": (0.0, 0.01, 0.11, 0.21, 0.48, 0.94, 1.411, 1.91),
    "density": (0.0, 0.0, 0.0091, 0.0175, 0.0419, 0.0921, 0.146, 0.2012),
}
# So many pairs of clear keys have the same; and so many the same or a relative one.
SAME_KEY, RELATIVE_KEY = 0.06, 0.11


class Codes:
    """The codes of a model version's first codebook, and how rare each is.

    Args:
        space: of the model version.
    """

    def __init__(self, space: Space) -> None:
        self.space = space

    @cached_property
    def frequency(self) -> np.ndarray:
        """(K,): share of the reference sample's pieces in which each code sounds.

        The sample is known by its Gaussians: half a minute is drawn from each.
        """
        found = self._drawn()
        sounding: np.ndarray = (found > 0).mean(axis=0)
        return np.maximum(sounding, 0.5 / len(found))

    def _drawn(self) -> np.ndarray:
        """Counts (R, K) of the codes nearest to what is drawn from the reference Gaussians."""
        random, book = np.random.default_rng(0), self.space.codebooks[0]
        spread, axes = np.linalg.eigh(self.space.reference_covariance)
        counts = []
        for mean, scale, turn in zip(
            self.space.reference_mean, np.sqrt(np.maximum(spread, 0.0)), axes, strict=True
        ):
            drawn = random.standard_normal((_SAMPLES, len(mean))) * scale @ turn.T + mean
            nearest = (np.square(book).sum(axis=1) - 2 * drawn @ book.T).argmin(axis=1)
            counts.append(np.bincount(nearest, minlength=len(book)))
        return np.stack(counts)

    def shares(self, codes: np.ndarray) -> np.ndarray:
        """(K,): share of a piece's rows (T, Q) with each code."""
        return np.bincount(codes[:, 0], minlength=len(self.frequency)) / len(codes)

    @property
    def rarity(self) -> np.ndarray:
        """(K,): inverse document frequency, 0 for a code that sounds in every piece."""
        return -np.log(self.frequency)


def reasons(yours: Encoding, theirs: Encoding, codes: Codes) -> list[Reason]:
    """The strongest reasons, at most `MOST`, strongest first; none where nothing is alike.

    Returns:
        `{"code", "yours", "theirs", "strength"}` and further numbers: what each number means
        stands with the measure below.
    """
    found = [_of_codes(yours, theirs, codes), *_of_facts(yours.facts, theirs.facts)]
    told = [each for each in found if each["strength"] > LEAST]
    return sorted(told, key=lambda each: -each["strength"])[:MOST]


def strength(code: str, distance: float) -> float:
    """The share of pairs of catalogue tracks that are further apart than this.

    A few have the very same number; a distance of 0 is less than full strength there.
    """
    return round(1.0 - float(np.interp(distance, TYPICAL[code], SHARES)), 4)


def _of_codes(yours: Encoding, theirs: Encoding, codes: Codes) -> Reason:
    """Shares of both pieces that codes of both take, how many codes those are, how many rare."""
    ours, others = codes.shares(yours.codes), codes.shares(theirs.codes)
    shared = (ours > 0) & (others > 0)
    return {
        "code": "codes",
        "yours": round(float(ours[shared].sum()), 3),
        "theirs": round(float(others[shared].sum()), 3),
        "shared": int(shared.sum()),
        "rare": int((shared & (codes.frequency < RARE)).sum()),
        "strength": strength("codes", codes_apart(ours, others, codes)),
    }


def codes_apart(ours: np.ndarray, others: np.ndarray, codes: Codes) -> float:
    """How little two pieces' shares (K,) overlap, rare codes weighing more: 1 for nothing."""
    return float(np.exp(-(np.minimum(ours, others) * codes.rarity).sum()))


def _of_facts(yours: Facts, theirs: Facts) -> Iterator[Reason]:
    """One reason for each measure that both pieces have."""
    for code, apart in APART.items():
        if (distance := apart(yours, theirs)) is not None:
            reason = {"code": code, "yours": yours[code], "theirs": theirs[code]}
            yield reason | {"strength": strength(code, distance)}
    if (share := _keys_shared(yours, theirs)) is not None:
        yield {
            "code": "key",
            "yours": int(yours["key"]),
            "theirs": int(theirs["key"]),
            "clarity": [yours["key_clarity"], theirs["key_clarity"]],
            "strength": round(1.0 - share, 4),
        }


def _tempo(yours: Facts, theirs: Facts) -> float | None:
    """Octaves between two clear tempi; half and double count as the same."""
    if min(yours.get("tempo_clarity", 0.0), theirs.get("tempo_clarity", 0.0)) < CLEAR_TEMPO:
        return None
    octaves = _ratio("tempo")(yours, theirs)
    return octaves if octaves is None else min(octaves, abs(octaves - 1.0))


def _density(yours: Facts, theirs: Facts) -> float | None:
    """Octaves between two densities of onsets that are worth counting."""
    if min(yours.get("density", 0.0), theirs.get("density", 0.0)) < COUNTED:
        return None
    return _ratio("density")(yours, theirs)


def _ratio(name: str) -> Callable[[Facts, Facts], float | None]:
    """Octaves between two measures."""

    def octaves(yours: Facts, theirs: Facts) -> float | None:
        one, other = yours.get(name, 0.0), theirs.get(name, 0.0)
        return abs(float(np.log2(one / other))) if one > 0 and other > 0 else None

    return octaves


def _difference(name: str) -> Callable[[Facts, Facts], float | None]:
    """What lies between two measures, in their unit."""

    def difference(yours: Facts, theirs: Facts) -> float | None:
        return abs(yours[name] - theirs[name]) if name in yours and name in theirs else None

    return difference


APART: dict[str, Callable[[Facts, Facts], float | None]] = {
    "tempo": _tempo,
    "brightness": _ratio("brightness"),
    "loudness": _difference("loudness"),
    "dynamics": _difference("dynamics"),
    "density": _density,
}


def _keys_shared(yours: Facts, theirs: Facts) -> float | None:
    """How many pairs with clear keys share theirs as these two do; None where they do not."""
    if min(yours.get("key_clarity", 0.0), theirs.get("key_clarity", 0.0)) < CLEAR_KEY:
        return None
    if yours["key"] == theirs["key"]:
        return SAME_KEY
    return RELATIVE_KEY if relative(yours["key"]) == theirs["key"] else None


def relative(key: float) -> float:
    """The minor of the same notes for a major key (0 to 11), the major for a minor (12 to 23)."""
    return (key + 9) % 12 + 12 if key < 12 else (key + 3) % 12
