"""Describe every sound that a measurement needs, once, on all cores allowed, through the cache."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from ml import audio
from ml.audio import Waveform
from ml.errors import SoundError
from ml.evaluation import codecs, disguises, passages, speech, views
from ml.evaluation.cache import Cache, source_digest
from ml.evaluation.catalogue import Track
from ml.evaluation.passages import Passage
from ml.evaluation.systems import Extractor, Item
from ml.evaluation.views import Sound
from ml.pool import pool

PASSAGES = "passages"

Ears = Callable[[], Sequence[Extractor]]
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Errand:
    """What is still to be described of one track: extractors by view, and the passages."""

    track: Track
    seed: int
    views: Mapping[str, tuple[str, ...]]
    passages: bool


@dataclass
class Collection:
    """Everything that was heard.

    Attributes:
        tracks: those that could be described in every way that was asked for.
        failures: the reason by name of the track, for the others.
        items: by (extractor, view), one a track.
        passages: one dictionary a track, by disguise.
    """

    tracks: list[Track] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    items: dict[tuple[str, str], list[Item]] = field(default_factory=lambda: defaultdict(list))
    passages: list[dict[str, Passage]] = field(default_factory=list)

    def of_catalogue(self, extractor: str) -> list[Item]:
        """What an extractor makes of the whole tracks."""
        return self.items[extractor, views.WHOLE]


class Collector:
    """Describes tracks in other processes and keeps what they heard.

    Args:
        ears: makes the extractors; called once here and once in every process.
        cache: of what was heard before.
        seed: of the places of the excerpts and of every disguise.
    """

    def __init__(self, ears: Ears, cache: Cache, seed: int) -> None:
        self.ears = ears
        self.extractors = {extractor.name: extractor for extractor in ears()}
        self.cache = cache
        self.seed = seed
        self._sounds = source_digest([audio, codecs, disguises, passages, speech, views])

    def collect(
        self, tracks: Sequence[Track], wanted: Iterable[str], *, passages: bool, report: Report
    ) -> Collection:
        """Describe every view of every track by every extractor.

        Args:
            wanted: names of views.
            passages: find the repeats of the excerpts too.
            report: told after each track how many are done, and of how many.
        """
        wanted = list(wanted)
        failures = self._describe(tracks, wanted, passages, report)
        found = Collection(failures=failures)
        for track in tracks:
            if track.name not in failures:
                self._add(found, track, wanted, passages)
        return found

    def _describe(
        self, tracks: Sequence[Track], wanted: list[str], passages: bool, report: Report
    ) -> dict[str, str]:
        """Fill the cache; the reasons of those tracks where that failed."""
        errands = [self._errand(track, wanted, passages) for track in tracks]
        errands = [errand for errand in errands if errand.views or errand.passages]
        failures = {}
        for done, (track, heard) in enumerate(self._run(errands), start=1):
            if isinstance(heard, str):
                failures[track.name] = heard
            else:
                self.cache.put_all(
                    {self._key(track, *which): kept for which, kept in heard.items()}
                )
            report(done, len(errands))
        return failures

    def _errand(self, track: Track, wanted: list[str], passages: bool) -> Errand:
        missing = {
            view: tuple(
                name for name in self.extractors if self._key(track, view, name) not in self.cache
            )
            for view in wanted
        }
        located = not passages or self._key(track, PASSAGES, "") in self.cache
        still = {view: names for view, names in missing.items() if names}
        return Errand(track, self.seed, still, not located)

    def _key(self, track: Track, view: str, extractor: str) -> str:
        fingerprint = self.extractors[extractor].fingerprint if extractor else ""
        # Only excerpts depend on the seed; whole tracks are heard once for all seeds.
        seed = self.seed if view.startswith(views.EXCERPT) or view == PASSAGES else ""
        return "|".join((track.sha256, view, str(seed), extractor, fingerprint, self._sounds))

    def _run(
        self, errands: list[Errand]
    ) -> Iterator[tuple[Track, dict[tuple[str, str], bytes] | str]]:
        if not errands:
            return
        with pool(_listen, self.ears) as listeners:
            for errand, heard in zip(errands, listeners.map(_hear, errands), strict=True):
                yield errand.track, heard

    def _add(self, found: Collection, track: Track, wanted: list[str], passages: bool) -> None:
        found.tracks.append(track)
        for view in wanted:
            for name, extractor in self.extractors.items():
                kept = self.cache[self._key(track, view, name)]
                found.items[name, view].append(extractor.restore(kept))
        if passages:
            found.passages.append(_passages_from(self.cache[self._key(track, PASSAGES, "")]))


_ears: dict[str, Extractor] = {}  # of a process of the pool


def _listen(ears: Ears) -> None:
    _ears.update({extractor.name: extractor for extractor in ears()})


def _hear(errand: Errand) -> dict[tuple[str, str], bytes] | str:
    """What the extractors make of the views of one track, or why that cannot be."""
    sound = Sound(errand.track, errand.seed)
    heard = {}
    try:
        for view, names in errand.views.items():
            waveform = _audible(sound.view(view))
            heard.update({(view, name): _ears[name].extract(waveform) for name in names})
        if errand.passages:
            heard[PASSAGES, ""] = _passages_bytes(sound.passages())
    except SoundError as error:
        return str(error)
    return heard


def _audible(waveform: Waveform) -> Waveform:
    if not len(waveform.samples):
        raise SoundError("too-short", "nothing is left of it")
    return waveform


def _passages_bytes(found: Mapping[str, Passage]) -> bytes:
    return json.dumps({name: asdict(passage) for name, passage in found.items()}).encode()


def _passages_from(kept: bytes) -> dict[str, Passage]:
    return {
        name: Passage(fields["start"], fields["seconds"], tuple(fields["repeats"]))
        for name, fields in json.loads(kept).items()
    }
