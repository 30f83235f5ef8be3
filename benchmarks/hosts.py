"""A site on eleven hosts: what it does when one is cut off, taken away, or of a release ago.

`python -m benchmarks.hosts FOLDER` (root only) makes a network of namespaces on this machine: two
web hosts, two match workers, one index and one train worker, maintenance with beat, a match worker
of an older revision, and PostgreSQL, the broker and an S3 store (moto's). Hosts share nothing but
those three. FOLDER is that of `python -m benchmarks.music`. It prints a table and ends with status
1 when an upload that was answered 201 is lost or answered twice, or a step did not come out.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.ledger import Ledger, verdict
from benchmarks.machines import Machine, Machines
from benchmarks.network import NoNetworkError, network
from benchmarks.senders import PATIENCE, Senders
from benchmarks.site import ROOT, wait_until

HOSTS = (
    *("database", "broker", "store", "web1", "web2", "match1", "match2"),
    *("index", "train", "chores", "older"),
)
SOUNDTRACKS, TRACKS = 3, 4  # of the music, each of so many tracks: the smallest ones
LONG = 20 * 60.0  # seconds of the upload whose worker is cut off
RATED = 40  # uploads whose rate is measured


class Scenario:
    """What is done to the site, step by step; each adds a row to the table."""

    def __init__(self, machines: Machines, music: list[Path], each: int) -> None:
        self._machines, self._each = machines, each
        self._ledger = Ledger(machines.database)
        self._ledger.watch()
        self._senders = Senders(machines, self._ledger, music)
        self.rows: list[tuple[str, str, bool]] = []

    def _tell(self, what: str, came: str, good: bool) -> None:
        self.rows.append((what, came, good))
        print(f"{'ok ' if good else 'BAD'} {what}: {came}", flush=True)

    def either_web_either_worker(self) -> None:
        done = self._senders.upload(self._each, ["web1", "web2"])
        by = {name: len(self._machines[name].claimed() & done) for name in ("match1", "match2")}
        came = ", ".join(f"{name} answered {count}" for name, count in by.items())
        ended = self._senders.finished(done)
        self._tell(
            f"{len(done)} uploads through two web hosts, two workers",
            f"{ended} FINISHED; {came}",
            ended == len(done) and all(by.values()),
        )

    def playback(self) -> None:
        """Sent by one web host, read from the store by a link of the other."""
        (upload,) = self._senders.upload(1, ["web1"])
        request = self._senders.people["web2"].get_bytes(f"/uploads/{upload}/audio/", "bytes=0-3")
        self._tell("played through the other web host", repr(request), request == b"fLaC")

    def cut_in_mid_job(self) -> None:
        (upload,) = self._senders.send([self._senders.sound(LONG)], ["web1"])
        machine = self._busy_with(upload)
        machine.host.cut()
        began = time.monotonic()
        self._senders.await_end({upload})
        standing, took = self._ledger.standing(upload), time.monotonic() - began
        other = {"match1": "match2", "match2": "match1"}[machine.host.name]
        taken = upload in self._machines[other].claimed()
        machine.host.mend()
        gave_up = (f"upload {upload} was left in", f"stopped: upload {upload}")
        wait_until(lambda: any(line in machine.said() for line in gave_up), PATIENCE, every=0.5)
        self._tell(
            f"{machine.host.name} cut off in mid-job",
            f"{standing.state} by {other} in attempt {standing.attempt}, {took:.0f} s later; "
            "the first gave up and wrote nothing",
            standing.is_right and taken and standing.attempt == 2,
        )

    def _busy_with(self, upload: str) -> Machine:
        """The worker that has it, once it has read the file and computes."""
        workers = [self._machines[name] for name in ("match1", "match2")]
        line = f"upload {upload} is in EXTRACTING"
        found = wait_until(lambda: [one for one in workers if line in one.said()], PATIENCE)
        return found[0]

    def web_host_away(self) -> None:
        self._machines["web1"].host.cut()
        done = self._senders.upload(self._each, ["web2"])
        self._machines["web1"].host.mend()
        ended = self._senders.finished(done)
        there = self._senders.people["web1"].job(f"/uploads/{next(iter(done))}/").get("state")
        self._tell(
            "web1 cut off",
            f"{ended} of {len(done)} uploads through web2 FINISHED; back, web1 says {there}",
            ended == len(done) and there == "FINISHED",
        )

    def throughput(self) -> None:
        """The same work with two match hosts and with one, on the same cores."""
        two = self._rate()
        self._machines["match2"].stop()
        one = self._rate()
        self._tell(
            "uploads a minute, all hosts on these cores",
            f"one match host {one:.1f}, two {two:.1f} ({two / one:.2f} x)",
            True,
        )

    def _rate(self) -> float:
        sounds = self._senders.sounds(RATED)
        began = time.monotonic()
        self._senders.await_end(self._senders.send(sounds, ["web1", "web2"]))
        return 60 * RATED / (time.monotonic() - began)

    def worker_added(self, revision: str) -> None:
        """A worker of an older release joins and then is the only one."""
        older = self._machines["older"]
        older.worker("match")
        older.await_worker()
        self._machines["match1"].stop()
        done = self._senders.upload(2, ["web1", "web2"])
        ended, by = self._senders.finished(done), len(older.claimed() & done)
        self._tell(
            f"a match host of {revision} joined, new web and database",
            f"{ended} of {len(done)} FINISHED, {by} by the old worker",
            ended == by == len(done),
        )
        older.stop()

    def trained_elsewhere(self) -> None:
        """A version that one host trained is indexed by another and answers on a third."""
        train, index = self._machines["train"], self._machines["index"]
        train.manage("train_model", "hosts-1", "--epochs", "1")
        index.manage("index_model", "hosts-1")
        wait_until(self._ready, PATIENCE, every=0.5)
        index.manage("activate_model", "hosts-1")
        match2 = self._machines["match2"]
        match2.worker("match")
        match2.await_worker()
        done = self._senders.upload(2, ["web1"])
        fetched = [
            name
            for name in ("index", "match2")
            if list((self._machines[name].folder / "artefacts").glob("hosts-1/manifest.json"))
        ]
        ended = self._senders.finished(done)
        self._tell(
            "a version trained by the train host",
            f"fetched from the store by {' and '.join(fetched)}, answered {ended} of {len(done)}",
            fetched == ["index", "match2"] and ended == len(done),
        )

    def _ready(self) -> bool:
        asked = "SELECT state FROM tracks_modelversion WHERE name = 'hosts-1'"
        return self._ledger.ask(asked) == [("READY",)]

    def accounts(self) -> bool:
        """Nothing that was answered 201 was lost or answered twice."""
        counts, right = verdict(self._ledger.standings(), self._senders.accepted)
        for what, count in counts.items():
            self._tell(what, str(count), right)
        return right and all(good for _, _, good in self.rows)


def chosen(music: Path) -> list[list[Path]]:
    """The smallest tracks of the first soundtracks, as soundfile reads them."""
    folders = sorted(path for path in (music / "demo").iterdir() if path.is_dir())
    found = []
    for folder in folders:
        tracks = sorted(folder.rglob("*.ogg"), key=lambda path: path.stat().st_size)
        if len(tracks) >= TRACKS:
            found.append(tracks[:TRACKS])
    return found[:SOUNDTRACKS]


def _catalogue(machines: Machines, music: list[list[Path]]) -> None:
    """Migrated, with people and indexed tracks: by one host, for all."""
    index, folder = machines["index"], machines.folder / "music"
    for tracks in music:
        place = folder / tracks[0].parent.name
        place.mkdir(parents=True)
        for track in tracks:
            shutil.copy(track, place)
    index.manage("set_up", str(machines.folder / "accounts.json"))
    index.worker("index")
    index.manage("import_tracks", str(folder))
    machines["chores"].worker("maintenance", beat=True)
    index.await_worker()
    index.manage("await_index")


@contextmanager
def _older_code(revision: str, folder: Path) -> Iterator[Path]:
    """What that revision of the repository holds."""
    folder.mkdir()
    packed = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    yield folder


def run(music: Path, older: str, serving: Path | None, each: int, train: bool) -> bool:
    """Whether all came out."""
    with (
        tempfile.TemporaryDirectory(prefix="soundsite-hosts-") as scratch,
        _older_code(older, Path(scratch) / "older-code") as code,
        network(HOSTS) as hosts,
    ):
        Path(scratch).chmod(0o755)  # PostgreSQL runs as nobody
        machines = Machines(hosts, Path(scratch), code, serving)
        machines.make()
        machines.start_stores()
        tracks = chosen(music)
        _catalogue(machines, tracks)
        for name in ("web1", "web2"):
            machines[name].web()
        for name in ("match1", "match2"):
            machines[name].worker("match")
        machines["train"].worker("train")
        for name in ("web1", "web2"):
            machines[name].await_web()
        for name in ("match1", "match2"):
            machines[name].await_worker()
        scenario = Scenario(machines, [track for some in tracks for track in some], each)
        return _played(scenario, older, train)


def _played(scenario: Scenario, older: str, train: bool) -> bool:
    scenario.either_web_either_worker()
    scenario.playback()
    scenario.cut_in_mid_job()
    scenario.web_host_away()
    scenario.throughput()
    scenario.worker_added(older)
    if train:
        scenario.trained_elsewhere()
    right = scenario.accounts()
    table = Table("what", "came out", "")
    for what, came, good in scenario.rows:
        table.add_row(what, came, "ok" if good else "BAD")
    Console(width=120).print(table)
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("music", type=Path, help="the folder of `python -m benchmarks.music`")
    parser.add_argument("--older", default="HEAD~1", help="revision of the older worker host")
    parser.add_argument("--serving", type=Path, help="what deploy/unpack made: used by its hosts")
    parser.add_argument("--each", type=int, default=8, help="uploads of a step")
    parser.add_argument("--no-train", action="store_true", help="leave the training out")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the network goes, too
    began = time.monotonic()
    try:
        right = run(
            options.music.resolve(),
            options.older,
            options.serving and options.serving.resolve(),
            options.each,
            not options.no_train,
        )
    except NoNetworkError as error:
        sys.exit(f"No network of hosts here: {error}")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
