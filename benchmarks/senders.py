"""People who send music to the web hosts of a site and wait for its answers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.ledger import Ledger
from benchmarks.machines import Machines
from benchmarks.site import wait_until
from benchmarks.visitor import Visitor

EXCERPT = 30.0  # seconds of an upload
PATIENCE = 180.0


class Senders:
    """One at each web host.

    Attributes:
        people: by the web host that each uses.
        accepted: ids of the uploads that were answered 201.
    """

    def __init__(self, machines: Machines, ledger: Ledger, music: Sequence[Path]) -> None:
        self._ledger, self._folder, self._song = ledger, machines.folder, 0
        self._sounds = [_samples(path) for path in music]
        who = machines.accounts["user"], machines.accounts["password"]
        self.people: dict[str, Visitor] = {
            web: machines[web].visitor(*who) for web in ("web1", "web2")
        }
        self.accepted: set[str] = set()

    def upload(self, count: int, webs: Sequence[str]) -> set[str]:
        """So many, and their ids once they have ended."""
        uploads = self.send(self.sounds(count), webs)
        self.await_end(uploads)
        return uploads

    def sounds(self, count: int) -> list[Path]:
        return [self.sound(EXCERPT) for _ in range(count)]

    def sound(self, seconds: float) -> Path:
        """A stretch of the music that no other upload has."""
        self._song += 1
        samples, rate = self._sounds[self._song % len(self._sounds)]
        whole = np.resize(np.roll(samples, -self._song * 997), int(seconds * rate))
        path = self._folder / f"song {self._song}.flac"
        soundfile.write(path, whole, rate)
        return path

    def send(self, sounds: Sequence[Path], webs: Sequence[str]) -> set[str]:
        """Hands the files in, in turn at each web host; ids of those that were answered 201."""

        def hand_in(web: str) -> list[str]:
            mine = sounds[webs.index(web) :: len(webs)]
            return [self.people[web].hand_in(sound).split("/")[2] for sound in mine]

        with ThreadPoolExecutor(len(webs)) as people:
            uploads = {upload for some in people.map(hand_in, webs) for upload in some}
        self.accepted |= uploads
        return uploads

    def await_end(self, uploads: set[str]) -> None:
        wait_until(lambda: not uploads & self._ledger.open(), PATIENCE, every=0.1)

    def finished(self, uploads: set[str]) -> int:
        states = (self._ledger.standing(upload).state for upload in uploads)
        return sum(state == "FINISHED" for state in states)


def _samples(path: Path) -> tuple[Any, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.mean(axis=1), rate
