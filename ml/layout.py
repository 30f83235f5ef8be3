"""Pieces as places on a plane, near each other where their embeddings are.

t-SNE (van der Maaten and Hinton, JMLR 9:2579, 2008; Barnes-Hut: JMLR 15:3221, 2014), begun from
principal components or, so that a map does not jump, from the places of the last time.

    python -m ml.layout IN.npz OUT.npy

lays out what the arrays `embeddings` and `previous` of IN hold, on one core, and ends with the
process that holds its standard input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from ml import leash

MOST = 5000  # pieces that are laid out; further ones are placed among these
FEW = 8  # fewer have too few neighbours
NEIGHBOURS = 5
PERPLEXITY = 15.0
EXAGGERATION = 12.0
ROUNDS, ROUNDS_AGAIN = 1000, 250
_PEAKED = 2.5  # see _stretched
_BLOCK = 2000  # rows whose distances are held at once


def layout(embeddings: np.ndarray, previous: np.ndarray | None = None) -> np.ndarray:
    """Places (N, 2), float32, each coordinate from 0 to 1; the same input gives the same places.

    Args:
        embeddings: (N, D).
        previous: (N, 2), places of the last time; NaN where a piece had none.
    """
    with threadpool_limits(1):  # sums in the same order each time
        chosen = _chosen(embeddings)
        if len(chosen) == len(embeddings):
            return _laid_out(embeddings, previous)
        laid = _laid_out(embeddings[chosen], None if previous is None else previous[chosen])
        places = place(embeddings[chosen], laid, embeddings)
        places[chosen] = laid
        return places


def place(embeddings: np.ndarray, places: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Places (M, 2), float32, for new pieces: the weighted mean of those of their neighbours.

    Args:
        embeddings: (N, D) of the pieces that have a place, N at least 1.
        places: (N, 2).
        new: (M, D).
    """
    return np.concatenate(
        [
            _placed(embeddings, places, new[start : start + _BLOCK])
            for start in range(0, len(new), _BLOCK)
        ]
        or [np.empty((0, 2), np.float32)]
    )


def _placed(embeddings: np.ndarray, places: np.ndarray, new: np.ndarray) -> np.ndarray:
    nearest, squared = _nearest(embeddings, new, min(NEIGHBOURS, len(embeddings)))
    weights = 1 / (squared + 1e-6)
    mean = (weights[:, :, None] * places[nearest]).sum(axis=1) / weights.sum(axis=1)[:, None]
    found: np.ndarray = mean.astype(np.float32)
    return found


def _nearest(embeddings: np.ndarray, asked: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
    """Rows (M, count) of the embeddings that are nearest to each asked, and squared distances."""
    squared = np.square(asked).sum(axis=1)[:, None] + np.square(embeddings).sum(axis=1)
    squared = np.maximum(squared - 2 * asked @ embeddings.T, 0.0)
    nearest = np.argpartition(squared, count - 1, axis=1)[:, :count]
    return nearest, np.take_along_axis(squared, nearest, axis=1)


def _chosen(embeddings: np.ndarray) -> np.ndarray:
    """Which rows are laid out: all, or MOST by a lot that each piece draws by its own sound."""
    if len(embeddings) <= MOST:
        return np.arange(len(embeddings))
    lots = [crc32(row.tobytes()) for row in np.ascontiguousarray(embeddings, np.float32)]
    return np.sort(np.argsort(lots, kind="stable")[:MOST])


def _laid_out(embeddings: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
    components = _components(embeddings)
    if len(embeddings) < FEW or components.shape[1] < 2:
        return _framed(_flat(components))
    known = np.zeros(len(embeddings), bool)
    if previous is not None:
        known = np.isfinite(previous).all(axis=1)
    if previous is None or known.sum() < max(FEW, len(known) / 2):
        tiny = components / components[:, 0].std() * 1e-4
        return _framed(_flat(_unfolded(embeddings, tiny, EXAGGERATION, ROUNDS)))
    begin = np.array(previous, np.float32)
    if not known.all():
        begin[~known] = place(embeddings[known], begin[known], embeddings[~known])
    found = _unfolded(embeddings, _stretched(embeddings, begin), 1.0, ROUNDS_AGAIN)
    return _within(_aligned(found, begin, known))


def _components(embeddings: np.ndarray) -> np.ndarray:
    """The first two principal components (N, 2), or fewer where the rest is rounding."""
    if len(embeddings) < 2 or not np.ptp(embeddings, axis=0).any():
        return np.zeros((len(embeddings), 1), np.float32)
    count = min(2, *embeddings.shape)
    found: np.ndarray = PCA(count, svd_solver="full").fit_transform(embeddings.astype(np.float64))
    return found[:, np.ptp(found, axis=0) > 1e-6].astype(np.float32)


def _unfolded(
    embeddings: np.ndarray, begin: np.ndarray, exaggeration: float, rounds: int
) -> np.ndarray:
    """t-SNE from those places (N, 2)."""
    count = len(embeddings)
    found: np.ndarray = TSNE(
        init=begin.astype(np.float32),
        perplexity=min(PERPLEXITY, (count - 1) / 3),
        early_exaggeration=exaggeration,
        learning_rate=max(count / EXAGGERATION / 4, 50.0),
        max_iter=rounds,
        random_state=0,
    ).fit_transform(embeddings)
    return found


def _stretched(embeddings: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places (N, 2) at the scale at which t-SNE would neither stretch nor shrink them.

    There, its pull on neighbours and its push on all pairs are in balance: the mean likeness of
    neighbours, 1 / (1 + squared distance), is that of all pairs weighted by itself. t-SNE gives the
    nearest neighbours more weight than here, where all count the same: a factor that was measured
    makes up for it.
    """
    sample = np.linspace(0, len(places) - 1, min(len(places), 500)).astype(int)
    count = int(min(PERPLEXITY, (len(places) - 1) / 3))
    near = _nearest(embeddings, embeddings[sample], count + 1)[0]
    apart = np.square(places[sample, None] - places[None]).sum(axis=2)
    low, high = -3.0, 6.0  # decimal logarithms of the square of the scale, to the frame
    while high - low > 0.01:
        likeness = 1 / (1 + 10 ** ((low + high) / 2) * apart)
        pull = (np.take_along_axis(likeness, near, axis=1).sum(axis=1) - 1).mean() / count
        likeness[np.arange(len(sample)), sample] = 0
        push = np.square(likeness).sum() / likeness.sum()
        low, high = ((low + high) / 2, high) if pull > push else (low, (low + high) / 2)
    return (places - places.mean(axis=0)) * (_PEAKED * 10 ** (low / 2))


def _flat(found: np.ndarray) -> np.ndarray:
    """Turned so that the longest side lies level: (N, 2) of (N, any)."""
    centred = found[:, :2] - found[:, :2].mean(axis=0) if len(found) else found[:, :2]
    if centred.shape[1] < 2 or len(centred) < 2:
        return np.pad(centred, ((0, 0), (0, 2 - centred.shape[1])))
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes *= np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    turned: np.ndarray = centred @ axes.T
    return turned


def _framed(places: np.ndarray) -> np.ndarray:
    """Filling the frame from 0 to 1 by its longer side, in the middle of it."""
    if not len(places):
        return np.empty((0, 2), np.float32)
    low, high = places.min(axis=0), places.max(axis=0)
    size = max(float((high - low).max()), 1e-12)
    return np.clip((places - (low + high) / 2) / size + 0.5, 0, 1).astype(np.float32)


def _within(places: np.ndarray) -> np.ndarray:
    """Unchanged where all lie in the frame from 0 to 1, else shrunk into it."""
    inside = places.min() >= 0 and places.max() <= 1
    return places.astype(np.float32) if inside else _framed(places)


def _aligned(found: np.ndarray, begin: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Turned, moved and scaled so that what was there before moves least (Procrustes)."""
    middle, target = found[known].mean(axis=0), begin[known].mean(axis=0)
    ours, theirs = found[known] - middle, begin[known] - target
    left, sizes, right = np.linalg.svd(ours.T @ theirs)
    scale = sizes.sum() / max(float(np.square(ours).sum()), 1e-12)
    moved: np.ndarray = (found - middle) @ (left @ right) * scale + target
    return moved


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m ml.layout", description=__doc__)
    parser.add_argument("given", type=Path)
    parser.add_argument("made", type=Path)
    options = parser.parse_args(arguments)
    leash.hold()
    with np.load(options.given, allow_pickle=False) as arrays:
        np.save(options.made, layout(arrays["embeddings"], arrays["previous"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
