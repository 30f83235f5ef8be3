"""People who go on sending songs by the upload page, each song again until it was taken."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

import numpy as np
import soundfile

from benchmarks.ledger import Ledger
from benchmarks.site import Site
from benchmarks.visitor import Visitor
from ml.synth import SAMPLE_RATE, compose, render

AT_ONCE = 4  # songs whose jobs have not ended
SECONDS = 90  # of a song
PASSWORD = "a-long-enough-phrase-7"
_SIGN_UP = """
from django.contrib.auth.models import User
for number in range({count}):
    User.objects.create_user(f"person{{number}}", password="{password}")
"""


class Crowd:
    """Sends `songs` from a thread of its own, as long as fewer than `allowed` were taken.

    Attributes:
        accepted: ids of the uploads that were answered 201.
        refused: how often a request was answered otherwise or broke, by status or error.
    """

    def __init__(self, site: Site, songs: Iterator[Path], people: int) -> None:
        done = site.manage(
            "shell", "--no-imports", "-c", _SIGN_UP.format(count=people, password=PASSWORD)
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        self._people = [Visitor(site.url) for _ in range(people)]
        for number, person in enumerate(self._people):
            person.sign_in(f"person{number}", PASSWORD)
        self._songs, self._ledger = songs, Ledger.of(site)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="crowd", daemon=True)
        self.allowed = 0
        self.accepted: set[str] = set()
        self.refused: Counter[str] = Counter()

    def __enter__(self) -> Crowd:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=60)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _send_all(self) -> None:
        for song in self._songs:
            while not self._sends(song):
                if self._ended.wait(0.2):
                    return

    def _sends(self, song: Path) -> bool:
        """Whether the song was taken now."""
        if len(self.accepted) >= self.allowed or len(self._ledger.open()) >= AT_ONCE:
            return False
        person = self._people[len(self.accepted) % len(self._people)]
        try:
            address = person.hand_in(song)
        except HTTPError as error:
            self.refused[str(error.code)] += 1
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            self.refused[type(reason).__name__] += 1
        else:
            self.accepted.add(address.strip("/").rpartition("/")[2])
            return True
        time.sleep(0.5)
        return False


def songs(folder: Path, count: int, rng: np.random.Generator) -> Iterator[Path]:
    """Excerpts of composed pieces with some noise, no two alike, as Ogg."""
    pieces = [render(compose(seed), 2 * SECONDS) for seed in range(6)]
    for number in range(count):
        start = int(rng.uniform(0, SECONDS) * SAMPLE_RATE)
        excerpt = pieces[number % len(pieces)][start : start + SECONDS * SAMPLE_RATE]
        noisy = excerpt + rng.normal(size=excerpt.shape) * 0.002
        path = folder / f"song {number}.ogg"
        soundfile.write(path, noisy.clip(-1, 1), SAMPLE_RATE)
        yield path
        path.unlink()
