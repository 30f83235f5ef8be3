"""The three proxies: from items to figures, the same for every system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ml.evaluation import bootstrap, metrics, views
from ml.evaluation.bootstrap import Estimate
from ml.evaluation.collect import Collection
from ml.evaluation.disguises import DISGUISES
from ml.evaluation.metrics import Floats, Integers
from ml.evaluation.passages import Passage, is_right, is_right_or_repeat
from ml.evaluation.systems import Item, System

Figure = Estimate | float


@dataclass
class Result:
    """What one proxy says of one system.

    Attributes:
        figures: by name, for the tables.
        scores: one value a query by name of the figure, for paired differences.
        groups: (Q,) soundtrack of each query.
    """

    figures: dict[str, Figure] = field(default_factory=dict)
    scores: dict[str, Floats] = field(default_factory=dict)
    groups: np.ndarray = field(default_factory=lambda: np.array([]))

    def add(self, name: str, values: Floats, seed: int) -> None:
        """Keep the values of a figure and its mean with its interval over the soundtracks."""
        self.scores[name] = values
        self.figures[name] = bootstrap.estimate(values, self.groups, seed)


@dataclass
class Neighbours(Result):
    """Proxy 1, with what the plots and ``--ranks`` need.

    Attributes:
        order: (N, N) all tracks by distance from each; the track itself comes last.
        distances: (N, N), in the catalogue's order; infinite on the diagonal.
    """

    order: Integers = field(default_factory=lambda: np.empty((0, 0), int))
    distances: Floats = field(default_factory=lambda: np.empty((0, 0)))

    def occurrence(self) -> Integers:
        """How often each track stands in the first ten of others, (N,)."""
        return metrics.occurrence(self.order)

    def confusion(self) -> tuple[list[str], Floats]:
        """Soundtracks, and the share of first answers of each (rows) from each (columns)."""
        return metrics.confusion(self.order, self.groups)

    def by_soundtrack(self) -> dict[str, float]:
        """P@1 of each soundtrack."""
        return metrics.group_means(self.scores["P@1"], self.groups)


def same_soundtrack(system: System, found: Collection, seed: int) -> Neighbours:
    """Proxy 1: each track asks for the others of its soundtrack, leave one out."""
    soundtracks = np.array([track.soundtrack for track in found.tracks])
    result = Neighbours(groups=soundtracks)
    result.distances, result.order = _leave_one_out(system, found, views.WHOLE, seed)
    relevant, _ = metrics.relevance(result.order, result.distances, soundtracks, soundtracks)
    _add_precision(result, "", relevant, seed)
    macro = bootstrap.estimate(result.scores["P@1"], soundtracks, seed, macro=True)
    result.figures["P@1 by soundtrack"] = macro
    result.figures["hub skew"] = metrics.hub_skew(result.occurrence())
    result.figures["orphans"] = metrics.orphan_share(result.occurrence())
    if system.treated:
        _add_view(result, "middle ", views.MIDDLE, system, found, seed)
        _add_view(result, "treated ", views.TREATED, system, found, seed)
    _add_artists(result, found, seed)
    return result


def _leave_one_out(
    system: System, found: Collection, view: str, seed: int
) -> tuple[Floats, Integers]:
    distances = left_out(system, found, view)
    return distances, metrics.ranking(distances, seed)


def left_out(system: System, found: Collection, view: str = views.WHOLE) -> Floats:
    """Distances of all tracks from each, (N, N); infinite on the diagonal."""
    items = found.items[system.extractor, view]
    return metrics.leave_one_out(system.distances(items, items, left_out=True))


def _add_precision(result: Result, prefix: str, relevant: np.ndarray, seed: int) -> None:
    """P@1, P@5 and MAP of the queries that have a right answer at all."""
    unknown = np.where(relevant.any(axis=1), 0.0, np.nan)
    result.add(prefix + "P@1", metrics.precision_at(relevant, 1) + unknown, seed)
    result.add(prefix + "P@5", metrics.precision_at(relevant, 5) + unknown, seed)
    result.add(prefix + "MAP", metrics.average_precision(relevant), seed)


def _add_view(
    result: Neighbours, prefix: str, view: str, system: System, found: Collection, seed: int
) -> None:
    """The same of another view: the middles of the tracks, before and after they were re-encoded
    and brought to one loudness. Their difference is what the encoder and the mastering helped."""
    distances, order = _leave_one_out(system, found, view, seed)
    relevant, _ = metrics.relevance(order, distances, result.groups, result.groups)
    _add_precision(result, prefix, relevant, seed)


def _add_artists(result: Neighbours, found: Collection, seed: int) -> None:
    """Same artist, other soundtrack: tracks of the query's own soundtrack may not answer."""
    artists = np.array([track.artist for track in found.tracks])
    own = result.groups[:, None] == result.groups[None, :]
    distances = np.where(own, np.inf, result.distances)
    order = metrics.ranking(distances, seed)
    relevant, _ = metrics.relevance(order, distances, artists, artists)
    relevant &= (artists != "")[:, None]
    if relevant.any():
        _add_precision(result, "artist ", relevant, seed)


def known_item(system: System, found: Collection, seed: int) -> dict[str, Result]:
    """Proxy 2: each disguised excerpt asks for its own track, by disguise."""
    catalogue = found.of_catalogue(system.extractor)
    soundtracks = np.array([track.soundtrack for track in found.tracks])
    results = {}
    for name in DISGUISES:
        queries = found.items[system.extractor, views.excerpt_view(name)]
        order = metrics.ranking(system.distances(queries, catalogue), seed)
        places = metrics.first_place(order, np.arange(len(catalogue)))
        result = Result(groups=soundtracks)
        result.add("top-1", metrics.top(places, 1), seed)
        result.add("top-5", metrics.top(places, 5), seed)
        passages = [by_disguise[name] for by_disguise in found.passages]
        _add_spans(result, system, queries, catalogue, passages, seed)
        results[name] = result
    return results


def _add_spans(
    result: Result,
    system: System,
    queries: Sequence[Item],
    catalogue: Sequence[Item],
    passages: Sequence[Passage],
    seed: int,
) -> None:
    """Of the right answers, the share that names the right span as its first."""
    if not system.locates:
        return
    strict = np.full(len(queries), np.nan)
    lenient = strict.copy()
    right = np.flatnonzero(result.scores["top-1"]).tolist()
    named = system.spans([queries[index] for index in right], [catalogue[index] for index in right])
    for index, spans in zip(right, named, strict=True):
        strict[index] = any(is_right(span, passages[index]) for span in spans[:1])
        lenient[index] = any(is_right_or_repeat(span, passages[index]) for span in spans[:1])
    result.add("span", strict, seed)
    result.add("span or repeat", lenient, seed)


def two_halves(system: System, found: Collection, seed: int) -> Result:
    """Proxy 3: each first half asks for its second half among all second halves."""
    queries = found.items[system.extractor, views.FIRST_HALF]
    catalogue = found.items[system.extractor, views.SECOND_HALF]
    order = metrics.ranking(system.distances(queries, catalogue), seed)
    places = metrics.first_place(order, np.arange(len(catalogue)))
    result = Result(groups=np.array([track.soundtrack for track in found.tracks]))
    result.add("top-1", metrics.top(places, 1), seed)
    result.add("MRR", metrics.reciprocal_rank(places), seed)
    return result


def wanted_views(proxies: Sequence[int]) -> list[str]:
    """Names of the views that the given proxies listen to."""
    by_proxy: Mapping[int, list[str]] = {
        1: [views.MIDDLE, views.TREATED],
        2: list(map(views.excerpt_view, DISGUISES)),
        3: [views.FIRST_HALF, views.SECOND_HALF],
    }
    return [views.WHOLE, *(view for proxy in sorted(proxies) for view in by_proxy[proxy])]
