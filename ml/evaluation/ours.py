"""The model under test and its ablations, searched in two stages as the product searches.

The first stage is the cosine of the embeddings, the second the model's exact rank of the nearest
of them, so that the order of ``--ranks`` is the order that a visitor sees.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ml import artefact, audio, encoding, facts, features, filters, model
from ml.alignment import Span
from ml.audio import Waveform
from ml.encoding import Encoding
from ml.evaluation.ablations import CodesShuffled, WithoutCodes, features_of
from ml.evaluation.cache import source_digest
from ml.evaluation.metrics import Floats
from ml.evaluation.systems import System
from ml.likeness import Match, Piece, rank
from ml.model import Model
from ml.pool import pool
from ml.space import Space

SHORTLIST = 200
FEW = 8

# Queries, catalogue, which of it may answer each query, and how many of the closest are told with
# their spans, to the matches of each query
RankAll = Callable[
    [Sequence[Encoding], Sequence[Encoding], Sequence[Sequence[int]], int],
    Iterable[Sequence[Match]],
]
Change = Callable[[Sequence[Encoding]], Sequence[Encoding]]


class Encodings:
    """Encodes sounds with the model of an artefact folder."""

    name = "encoding"

    def __init__(self, folder: Path) -> None:
        self.model = Model.load(folder)
        sources = source_digest([audio, encoding, facts, features, filters, model])
        self.fingerprint = f"{artefact.digest(folder)} {sources}"

    def extract(self, waveform: Waveform) -> bytes:
        features = features_of(self.model, waveform)
        heard = self.model.encode(features)
        heard.facts["reconstruction_error"] = self.model.reconstruction_error(features, heard)
        return heard.to_bytes()

    def restore(self, kept: bytes) -> Encoding:
        """The codes are what is kept; the embedding is made again, as likeness has it now."""
        heard = Encoding.from_bytes(kept)
        return replace(heard, embedding=self.model.embedding(heard.codes))


class TwoStages(System):
    """Nearest embeddings first, then the exact rank of those.

    Args:
        name: of the row.
        rank_all: the second stage, for many queries at once.
        change: what an ablation does to the encodings, all of the catalogue or all queries at
            once, before anything is likened.
    """

    extractor = Encodings.name
    locates = True

    def __init__(self, name: str, rank_all: RankAll, change: Change = list) -> None:
        self.name, self.rank_all, self.change = name, rank_all, change

    def distances(
        self, queries: Sequence[Encoding], catalogue: Sequence[Encoding], *, left_out: bool = False
    ) -> Floats:
        tracks = self.change(catalogue)
        asked = tracks if left_out else self.change(queries)
        cosines = _embeddings(asked) @ _embeddings(tracks).T
        if left_out:
            np.fill_diagonal(cosines, -np.inf)
        ranked = self.rank_all(asked, tracks, [_shortlist(row) for row in cosines], 0)
        return np.stack([_row(row, found) for row, found in zip(cosines, ranked, strict=True)])

    def spans(
        self, queries: Sequence[Encoding], tracks: Sequence[Encoding]
    ) -> list[Sequence[Span]]:
        alone = [[index] for index in range(len(tracks))]
        return [match.spans for (match,) in self.rank_all(queries, tracks, alone, 1)]


class Ranked:
    """The second stage by the model of a folder, in other processes where there is much to do."""

    def __init__(self, folder: Path) -> None:
        self.space = Space.load(folder)
        self.pool = pool(_load, folder)

    def __call__(
        self,
        queries: Sequence[Encoding],
        catalogue: Sequence[Encoding],
        shortlists: Sequence[Sequence[int]],
        located: int,
    ) -> Iterable[Sequence[Match]]:
        if len(queries) < FEW:
            ask = partial(_ranked, _pieces(catalogue, self.space), located)
            yield from map(ask, _pieces(queries, self.space), shortlists)
            return
        with TemporaryDirectory() as folder:
            path = Path(folder, "catalogue")
            path.write_bytes(pickle.dumps(list(catalogue)))
            ask = partial(_rank, path, located)
            yield from self.pool.map(ask, queries, shortlists, chunksize=FEW)


_spaces: list[Space] = []  # of a process of the pool


def _load(folder: Path) -> None:
    _spaces.append(Space.load(folder))


def _rank(
    catalogue: Path, located: int, query: Encoding, shortlist: Sequence[int]
) -> Sequence[Match]:
    (asked,) = _pieces([query], _spaces[0])
    return _ranked(_catalogue(catalogue), located, asked, shortlist)


@lru_cache(maxsize=1)
def _catalogue(path: Path) -> list[Piece]:
    """Made once in a process for all queries; the file is this run's own."""
    return _pieces(pickle.loads(path.read_bytes()), _spaces[0])


def _pieces(heard: Sequence[Encoding], space: Space) -> list[Piece]:
    return [Piece(each.codes, each.code_seconds, space) for each in heard]


def _ranked(
    catalogue: Sequence[Piece], located: int, query: Piece, shortlist: Sequence[int]
) -> Sequence[Match]:
    return rank(query, {index: catalogue[index] for index in shortlist}, located)


def _shortlist(cosines: Floats) -> list[int]:
    """The first stage: the tracks that may be answered and are nearest."""
    nearest = np.argsort(-cosines, kind="stable")[:SHORTLIST].tolist()
    return [index for index in nearest if np.isfinite(cosines[index])]


def _row(cosines: Floats, matches: Sequence[Match]) -> Floats:
    """Distances to all; what is beyond the shortlist follows it in the first stage's order."""
    found = {match.key: match.distance for match in matches}
    row = max(found.values(), default=0.0) + 1.0 + (1.0 - cosines)
    row[list(found)] = list(found.values())
    return row


def systems(folder: Path, seed: int) -> list[System]:
    """The model's own row, then one for each of its ablations."""
    loaded = Model.load(folder)
    second_stage = Ranked(folder)
    ours = TwoStages(loaded.manifest["name"], second_stage)
    ours.losses = {
        name: values
        for name, values in loaded.manifest["training"]["history"].items()
        if "loss" in name or name in ("reconstruction", "commitment", "contrastive")
    }
    shuffled = TwoStages("codes shuffled between tracks", second_stage, CodesShuffled(seed))
    shuffled.proxies = {1}  # the others ask for the track itself, which has lost its codes
    shuffled.treated = False
    return [ours, WithoutCodes(), shuffled]


def code_vectors(folder: Path) -> Floats:
    """The vectors (Q, K, d) of the codes of a model."""
    return Model.load(folder).space.codebooks


def _embeddings(encodings: Sequence[Encoding]) -> Floats:
    return np.stack([found.embedding for found in encodings]).astype(float)
