"""What each stage of hearing a track costs, and the floor: the bare decode of the same file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import av

from benchmarks.processes import computing
from ml import isolated
from ml.facts import facts
from ml.features import FeatureSettings, spectrogram
from ml.hearing import listen
from ml.model import Model
from ml.peaks import peaks

FLOOR, WHOLE = "bare decode", "the track, as a worker hears it"


class Cost(NamedTuple):
    """Seconds of a processor, of this process and of those that work for it, and on the clock."""

    cpu: float
    wall: float


@dataclass
class Costs:
    """What the stages of one track took, by their names."""

    of: dict[str, Cost] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.of[name] = Cost(time.process_time() - cpu, time.perf_counter() - wall)

    @contextmanager
    def with_decoder(self, name: str) -> Iterator[None]:
        """The same for a stage in which a child of `ml.decoder` decodes."""
        decoder = isolated.decoder()
        before = computing(decoder.pid)
        with self.stage(name):
            yield
        own, wall = self.of[name]
        forking = computing(decoder.pid) - before
        self.of[name] = Cost(own + forking + decoder.told["computing"], wall)


def decode_bare(path: Path) -> None:
    """Every packet by FFmpeg, and nothing done with what comes out."""
    with av.open(str(path), metadata_errors="replace") as media:
        stream = media.streams.audio[0]
        stream.codec_context.thread_count = 1
        for _ in media.decode(stream):
            pass


def track(path: Path, model: Model) -> Costs:
    """One track, whole and then stage by stage."""
    costs, settings = Costs(), FeatureSettings(**model.manifest["settings"]["features"])
    with costs.stage(FLOOR):
        decode_bare(path)
    with costs.with_decoder(WHOLE):
        listen(isolated.decode(path, max_seconds=1800), model)
    with costs.stage("read, SHA-256"):
        hashlib.sha256(path.read_bytes()).digest()
    with costs.with_decoder("decode, mean, resample, in a child"):
        sound = isolated.decode(path, max_seconds=1800)
    with costs.stage("spectrogram"):
        for _ in spectrogram(sound, settings):
            pass
    with costs.stage("features, with their spectrogram"):
        heard = model.features(sound)
    with costs.stage("MFCC, scaled"):
        scaled = model.scaled(heard)
    with costs.stage("encode (LiteRT)"):
        codes = model.codes_of_scaled(scaled)
    with costs.stage("embed"):
        model.embedding(codes)
    with costs.stage("facts"):
        facts(heard)
    encoding = model.encode(heard)
    with costs.stage("pictures: peaks, strip"):
        peaks(sound), model.strip(encoding)
    with costs.stage("as bytes"):
        encoding.to_bytes()
    return costs
