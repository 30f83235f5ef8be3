"""The model under test and its ablations, searched in two stages as the product searches.

The first stage is the cosine of the embeddings, the second the model's exact rank of the nearest
of them, so that the order of ``--ranks`` is the order that a visitor sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ml import artefact, audio, encoding, excerpts, facts, features, model
from ml.alignment import Span
from ml.audio import Waveform
from ml.encoding import Encoding
from ml.evaluation.cache import source_digest
from ml.evaluation.metrics import Floats
from ml.evaluation.pool import pool
from ml.evaluation.systems import System
from ml.likeness import Match
from ml.model import Model

SHORTLIST = 200
FEW = 8

Rank = Callable[[Encoding, Mapping[int, Encoding]], Sequence[Match]]
# Queries and what each may be answered with, to the matches of each query
RankAll = Callable[
    [Sequence[Encoding], Sequence[Mapping[int, Encoding]]], Iterable[Sequence[Match]]
]
Change = Callable[[Sequence[Encoding]], Sequence[Encoding]]


class Encodings:
    """Encodes sounds with the model of an artefact folder."""

    name = "encoding"

    def __init__(self, folder: Path) -> None:
        self.model = Model.load(folder)
        sources = source_digest([audio, encoding, excerpts, facts, features, model])
        self.fingerprint = f"{artefact.digest(folder)} {sources}"

    def extract(self, waveform: Waveform) -> bytes:
        return self.model.encode(self.model.features(waveform)).to_bytes()

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
        shortlists = [_shortlist(tracks, row) for row in cosines]
        ranked = self.rank_all(asked, shortlists)
        return np.stack([_row(row, found) for row, found in zip(cosines, ranked, strict=True)])

    def spans(self, query: Encoding, track: Encoding) -> Sequence[Span]:
        ((match,),) = self.rank_all([query], [{0: track}])
        return match.spans


class RankedHere:
    """The second stage in this process."""

    def __init__(self, rank: Rank) -> None:
        self.rank = rank

    def __call__(
        self, queries: Sequence[Encoding], candidates: Sequence[Mapping[int, Encoding]]
    ) -> Iterable[Sequence[Match]]:
        return map(self.rank, queries, candidates)


class RankedBeside:
    """The second stage by the model of a folder, in other processes where there is much to do."""

    def __init__(self, folder: Path) -> None:
        self.here = RankedHere(Model.load(folder).rank)
        self.pool = pool(_load, folder)

    def __call__(
        self, queries: Sequence[Encoding], candidates: Sequence[Mapping[int, Encoding]]
    ) -> Iterable[Sequence[Match]]:
        if len(queries) < FEW:
            return self.here(queries, candidates)
        return self.pool.map(_rank, queries, candidates, chunksize=FEW)


_models: list[Model] = []  # of a process of the pool


def _load(folder: Path) -> None:
    _models.append(Model.load(folder))


def _rank(query: Encoding, candidates: Mapping[int, Encoding]) -> Sequence[Match]:
    return _models[0].rank(query, candidates)


def _shortlist(tracks: Sequence[Encoding], cosines: Floats) -> dict[int, Encoding]:
    """The first stage: the tracks that may be answered and are nearest."""
    nearest = np.argsort(-cosines, kind="stable")[:SHORTLIST].tolist()
    return {index: tracks[index] for index in nearest if np.isfinite(cosines[index])}


def _row(cosines: Floats, matches: Sequence[Match]) -> Floats:
    """Distances to all; what is beyond the shortlist follows it in the first stage's order."""
    found = {match.key: match.distance for match in matches}
    row = max(found.values(), default=0.0) + 1.0 + (1.0 - cosines)
    row[list(found)] = list(found.values())
    return row


def systems(folder: Path, seed: int) -> list[System]:
    """The model's own row, then one for each of its ablations."""
    loaded = Model.load(folder)
    second_stage = RankedBeside(folder)
    ours = TwoStages(loaded.manifest["name"], second_stage)
    ours.losses = {
        name: values
        for name, values in loaded.manifest["training"]["history"].items()
        if "loss" in name or name in ("reconstruction", "commitment", "contrastive")
    }
    shuffled = TwoStages("codes shuffled between tracks", second_stage, CodesShuffled(seed))
    shuffled.proxies = {1}  # the others ask for the track itself, which has lost its codes
    return [ours, shuffled]


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


def code_vectors(folder: Path) -> Floats:
    """The vectors (Q, K, d) of the codes of a model."""
    return Model.load(folder).space.codebooks


def _embeddings(encodings: Sequence[Encoding]) -> Floats:
    return np.stack([found.embedding for found in encodings]).astype(float)
