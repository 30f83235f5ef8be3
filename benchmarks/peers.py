"""Measure other people's systems, by the tool and in the tables of `python -m ml.evaluate`.

    python -m benchmarks.peers FOLDER --proxies 1,3

Each peer lives in an environment of its own, which the first run makes; see `benchmarks/README.md`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import environments, extractor
from benchmarks.extractor import PeerExtractor
from benchmarks.inside import answering
from benchmarks.systems import Embeddings, euclidean
from ml import evaluate
from ml.audio import SAMPLE_RATE, Waveform
from ml.errors import SoundError
from ml.evaluation import mfcc
from ml.evaluation.baselines import MutualProximity, scaled_cosine
from ml.evaluation.cache import default_folder, source_digest
from ml.evaluation.systems import Guests, System

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Peer:
    """Somebody else's system.

    Attributes:
        name: of its row, with the version where versions hear differently.
        requirements: name of the file with its packages.
        module: that runs in its environment.
        seconds: of the middle of a sound that it hears; None for the whole sound.
    """

    name: str
    requirements: str
    module: str
    seconds: float | None = None

    def extractor(self, folder: Path) -> PeerExtractor:
        """What asks it, with the environment below `folder`.

        Raises:
            SoundError: `peer-environment`.
        """
        requirements = HERE / self.requirements
        python = environments.python_of(requirements, folder)
        command = [str(python), "-EsB", "-W", "ignore", "-m", self.module]
        sources = [answering, extractor, mfcc, importlib.import_module(self.module)]
        fingerprint = f"{python.parent.parent.name} {self.seconds} {source_digest(sources)}"
        return PeerExtractor(self.name, command, fingerprint, self.seconds)


BLISS = "benchmarks.inside.hear_bliss"
MUSICNN = Peer("musicnn", "requirements-musicnn.txt", "benchmarks.inside.hear_musicnn", 120.0)
PEERS = (
    Peer("bliss-audio 0.1.11", "requirements-bliss-0.1.txt", BLISS),
    Peer("bliss-audio 0.2.0", "requirements-bliss-0.2.txt", BLISS),
    MUSICNN,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = evaluate.argument_parser("python -m benchmarks.peers", __doc__)
    options = parser.parse_args(arguments)
    guests = invite(PEERS, default_folder() / "peers", Console(stderr=True))
    return evaluate.run(options, guests) if guests.systems else 1


def invite(peers: Sequence[Peer], folder: Path, console: Console) -> Guests:
    """Those of the peers that run on this machine; of the others it is said why they do not."""
    found = []
    for peer in peers:
        console.print(f"asking {peer.name}", markup=False)
        try:
            ears = peer.extractor(folder)
            ears.extract(_noise())
            ears.child.close()
            found.append(ears)
        except SoundError as error:
            console.print(f"left out: {peer.name} ({error})", markup=False)
    return Guests(found, [row for ears in found for row in rows(ears.name)])


def rows(peer: str) -> list[System]:
    """The systems that liken what a peer heard."""
    if peer != MUSICNN.name:
        return [Embeddings(peer, euclidean)]
    cosine = Embeddings(peer, scaled_cosine)
    return [cosine, MutualProximity(cosine)]


def _noise() -> Waveform:
    """Five seconds that every peer can describe, if it can describe anything."""
    samples = np.random.default_rng(0).normal(0.0, 0.1, 5 * SAMPLE_RATE)
    return Waveform(samples.astype(np.float32))


if __name__ == "__main__":
    raise SystemExit(main())
