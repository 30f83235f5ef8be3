"""How the peers' embeddings are likened: the rows of the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ml.evaluation.metrics import Floats
from ml.evaluation.systems import Item, System


class Embeddings(System):
    """Likens the embeddings of one extractor, whose name it bears.

    Args:
        extractor: name of the peer.
        liken: from embeddings (Q, d) and (N, d) of the catalogue to distances (Q, N).
    """

    def __init__(self, extractor: str, liken: Callable[[Floats, Floats], Floats]) -> None:
        self.name = self.extractor = extractor
        self.liken = liken

    def distances(
        self, queries: Sequence[Item], catalogue: Sequence[Item], *, left_out: bool = False
    ) -> Floats:
        return self.liken(np.stack(queries), np.stack(catalogue))


def euclidean(queries: Floats, catalogue: Floats) -> Floats:
    """Distances (Q, N) of embeddings (Q, d) and (N, d) as they are: what bliss-audio advises."""
    return np.linalg.norm(queries[:, None] - catalogue[None], axis=2)
