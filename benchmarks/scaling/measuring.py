"""Searches a catalogue that `loading` has filled. Run inside the site, by script/manage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection

from benchmarks.processes import family
from benchmarks.scaling.loading import PLACEHOLDER, build, give_encodings, installed, load
from benchmarks.scaling.mixing import BLOCK, QUERIES, Mixed, Mixer, Real
from tracks import first_stage
from tracks.filters import NO_FILTERS, Filters
from tracks.first_stage import CANDIDATES, closest, exactly
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.search import nearest
from tracks.selectors import heard_entries
from tracks.services import index

ASKED, COLD, BOTH_STAGES, FILTERED, ADDED = 300, 50, 25, 40, 200
SPARE = 60  # tracks beyond the candidates that get their encodings: the walk may find others
RECALLED = 10
WIDTHS = (200, 300, 400)  # hnsw.ef_search
FILTERS = {
    "a third: genre": Filters(genre="genre 0"),
    "one in twenty: tempo": Filters(tempo_from=120, tempo_to=123),
    "one in a hundred: genre, tempo": Filters(genre="genre 0", tempo_from=120, tempo_to=122),
    "50 tracks: artist": Filters(artist="artist 7"),
}
Figures = dict[str, Any]


def main(folder: str, step: str, first: int, last: int) -> None:
    """One step on the tracks of these numbers; what it found goes to FOLDER/STEP.json."""
    mixer = Mixer(Real.load(Path(folder, "real.npz")))
    found = {"fill": fill, "measure": measure, "add": add}[step](mixer, first, last)
    Path(folder, f"{step}.json").write_text(json.dumps(found), encoding="utf-8")


def fill(mixer: Mixer, first: int, last: int) -> Figures:
    """Tracks up to `last`, of which those before `first` are there, and the index."""
    found: Figures = load(mixer, first, last)
    near = nearest_by_numpy(mixer, last, _queries(mixer).vectors[:BOTH_STAGES])
    ranked = np.unique(near[:, : CANDIDATES + SPARE])
    found["encodings"], found["bytes"] = len(ranked), give_encodings(mixer, ranked)
    return found | build()


def measure(mixer: Mixer, _first: int, last: int) -> Figures:
    """Every figure of a catalogue of `last` tracks; nothing of it is in memory at first."""
    version, asked = installed(), _queries(mixer)
    vectors = asked.vectors[:ASKED].tolist()
    found: Figures = {"cold": _percentiles(_timed(partial(closest, version), vectors[:COLD]))}
    exact = nearest_by_numpy(mixer, last, asked.vectors[:ASKED])[:, :CANDIDATES] + 1
    _timed(partial(closest, version), vectors)
    found["warm"] = {width: walked(version, vectors, exact, width) for width in WIDTHS}
    found["one by one"] = _percentiles(_timed(partial(_exactly, version, NO_FILTERS), vectors[:5]))
    found["filters"] = {name: filtered(version, vectors, each) for name, each in FILTERS.items()}
    found |= both_stages(mixer, version, asked)
    return found | {"memory": memory()}


def walked(
    version: ModelVersion, vectors: list[list[float]], exact: np.ndarray, width: int
) -> Figures:
    """The first stage with so many vectors in view: times, and the shares of what is nearest."""
    usual, first_stage.EF_SEARCH = first_stage.EF_SEARCH, width
    times = _percentiles(_timed(partial(closest, version), vectors))
    answers = [closest(version, vector) for vector in vectors]
    first_stage.EF_SEARCH = usual
    recalls = {
        f"recall@{count}": float(
            np.mean([_shared(a, e[:count]) for a, e in zip(answers, exact, strict=True)])
        )
        for count in (RECALLED, CANDIDATES)
    }
    return {"times": times, **recalls}


def add(_mixer: Mixer, _first: int, last: int) -> Figures:
    """What the database does to add a track to a catalogue of `last`: milliseconds, the median."""
    version = installed()
    vector = heard_entries(version).values_list("embedding", flat=True)[0]
    random = np.random.default_rng(0)
    moved = [np.array(vector) + 0.05 * random.normal(size=len(vector)) for _ in range(ADDED)]
    numbered = [(last + number, each.tolist()) for number, each in enumerate(moved, start=1)]
    found = _percentiles(_timed(_added, numbered))
    Track.objects.filter(pk__gt=last).delete()
    return {"add": found}


def _added(numbered: tuple[int, list[float]]) -> None:
    """As `services.catalogue` and `tracks.indexing` do it, but for the file and the model."""
    number, vector = numbered
    track = Track.objects.create(
        title=f"New {number}", audio=f"tracks/{number}", sha256=f"{number:064x}", size=1
    )
    index.queue_track(track)
    entry = index.claim()
    assert entry is not None
    assert entry.track_id == track.pk
    assert index.complete(entry, embedding=vector, encoding=bytes(40_000), duration=200.0)


def filtered(version: ModelVersion, vectors: list[list[float]], filters: Filters) -> Figures:
    """Times, recall, and the fewest that were found of the candidates that there are."""
    asked = vectors[:FILTERED]
    fitting = heard_entries(version).filter(filters.of_entries()).count()
    ask = partial(closest, version, filters=filters)
    answers = [ask(vector) for vector in asked]
    exact = [_exactly(version, filters, vector) for vector in asked[:10]]
    return {
        "fitting": fitting,
        "times": _percentiles(_timed(ask, asked)),
        "recall": float(np.mean([_shared(*both) for both in zip(answers, exact, strict=False)])),
        "fewest": min(len(answer) for answer in answers),
        "wanted": min(fitting, CANDIDATES),
    }


def both_stages(mixer: Mixer, version: ModelVersion, asked: Mixed) -> Figures:
    """The whole answer: pieces read from the database, and again with them in memory."""
    for vector in asked.vectors[:BOTH_STAGES].tolist():  # the walk may find what NumPy did not
        bare = IndexEntry.objects.filter(pk__in=closest(version, vector), encoding=PLACEHOLDER)
        give_encodings(mixer, np.array(bare.order_by("pk").values_list("pk", flat=True), int) - 1)
    heard = [mixer.encoding(asked, number) for number in range(BOTH_STAGES)]
    ask = partial(nearest, version)
    ask(heard[-1])  # loads the model
    read, kept = [], []
    for each in heard:
        read += _timed(ask, [each])
        kept += _timed(ask, [each])
    return {"pieces read": _percentiles(read), "pieces in memory": _percentiles(kept)}


def nearest_by_numpy(mixer: Mixer, size: int, vectors: np.ndarray) -> np.ndarray:
    """Numbers (Q, 300) of the tracks nearest to each vector, nearest first: no database."""
    keep = CANDIDATES + 100
    numbers = np.empty((len(vectors), 0), int)
    likeness = np.empty((len(vectors), 0), np.float32)
    for first in range(0, size, 10 * BLOCK):
        last = min(first + 10 * BLOCK, size)
        block = mixer.drawn(first, last).vectors
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        likeness = np.hstack([likeness, vectors @ block.T])
        numbers = np.hstack(
            [numbers, np.broadcast_to(np.arange(first, last), likeness[:, -len(block) :].shape)]
        )
        best = np.argpartition(-likeness, min(keep, likeness.shape[1] - 1), axis=1)[:, :keep]
        likeness, numbers = (np.take_along_axis(each, best, 1) for each in (likeness, numbers))
    order = np.argsort(-likeness, axis=1)
    return np.take_along_axis(numbers, order, 1)


def memory() -> dict[str, float]:
    """Megabytes of the database server's processes together; what they share counts once."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        (data,) = cursor.fetchone()
    server = int(Path(data, "postmaster.pid").read_text().split()[0])
    return {"server": sum(_shares(pid) for pid, _ in family(server)) / 1024}


def _shares(pid: int) -> int:
    """Kilobytes of a process: its proportional share of what it has in memory."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def _queries(mixer: Mixer) -> Mixed:
    return mixer.drawn(0, BLOCK, QUERIES)


def _exactly(version: ModelVersion, filters: Filters, vector: list[float]) -> list[int]:
    fitting = heard_entries(version).filter(filters.of_entries())
    return list(exactly(fitting, vector)[:RECALLED])


def _shared(found: Iterable[int], exact: Iterable[int]) -> float:
    """Share of the exact ones that are among those found."""
    wanted = set(exact)
    return len(wanted & set(found)) / max(len(wanted), 1)


def _timed(ask: Callable[[Any], Any], asked: Iterable[Any]) -> list[float]:
    """Milliseconds of each."""
    return list(_times(ask, asked))


def _times(ask: Callable[[Any], Any], asked: Iterable[Any]) -> Iterator[float]:
    for each in asked:
        began = time.perf_counter()
        ask(each)
        yield 1000 * (time.perf_counter() - began)


def _percentiles(times: list[float]) -> list[float]:
    """Of 50, 95 and 99."""
    return [round(float(each), 2) for each in np.percentile(times, [50, 95, 99])]
