"""What can go wrong while a site runs, done to it on purpose.

`Scene.catch` waits for a job in hand, so that each fault meets one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crowd import Crowd
from benchmarks.ledger import Ledger
from benchmarks.processes import family, forked, identities, line_of, parents, programs
from benchmarks.site import ROOT, Site, wait_until

CATCH_SECONDS = 240.0
HEAL_SECONDS = 400.0
DISK_MIB = 256


class SparedError(Exception):
    """This fault cannot be made here; says why."""


@dataclass
class Scene:
    """A site under load.

    Attributes:
        disk: the media store as a small file system of its own, None where it is not.
        late: what came of writes by workers that had lost their job.
        struck: when the last fault was made, by the monotonic clock.
        open_then: the uploads that had not ended at that moment.
    """

    site: Site
    crowd: Crowd
    ledger: Ledger
    disk: Path | None
    late: list[str] = field(default_factory=list)
    struck: float = 0.0
    open_then: set[str] = field(default_factory=set)

    def catch(self, *states: str) -> tuple[str, int]:
        """Id and attempt of a job that a worker has in hand."""
        self.crowd.allowed += 1
        found = wait_until(lambda: self.ledger.running(*states), CATCH_SECONDS, every=0.003)
        assert found is not None
        return found

    def strike(self, pids: Iterable[int], number: signal.Signals) -> None:
        """Send the signal to the processes, and note the moment."""
        self.open_then, self.struck = self.ledger.open(), time.monotonic()
        _signal_all(pids, number)

    def program(self, word: str) -> int:
        """The process that supervisord looks after and whose command line has the word."""

        def found() -> list[int]:
            running = programs(self.site.process.pid)
            return [pid for pid in running if word in line_of(pid) + " "]

        return wait_until(found, HEAL_SECONDS)[0]

    def pool_child(self) -> int:
        """The process in which the worker of uploads runs its jobs."""
        worker = self.program("-Q match ")
        return wait_until(lambda: _children(worker), HEAL_SECONDS)[0]

    def decoder(self) -> int:
        """The process that forks one for each file that the worker of uploads decodes."""
        worker = self.pool_child()

        def found() -> list[int]:
            return [pid for pid in _kin(worker) if "ml.decoder" in line_of(pid)]

        return wait_until(found, HEAL_SECONDS)[0]


def _children(pid: int) -> list[int]:
    return sorted(child for child, parent in parents().items() if parent == pid)


def _strike(scene: Scene, find: Callable[[], int], number: signal.Signals) -> None:
    """Sends the signal to a process while a job is in hand; again, if the job was over by then."""
    deadline = time.monotonic() + CATCH_SECONDS
    while time.monotonic() < deadline:
        process = find()
        job = scene.catch()
        scene.strike([process], number)
        if scene.ledger.running() == job:
            return
    raise AssertionError("every job was over too soon")


def kill_child(scene: Scene) -> None:
    _strike(scene, scene.pool_child, signal.SIGKILL)


def kill_worker(scene: Scene) -> None:
    _strike(scene, lambda: scene.program("-Q match "), signal.SIGKILL)


def end_worker(scene: Scene) -> None:
    """As a deployment does."""
    _strike(scene, lambda: scene.program("-Q match "), signal.SIGTERM)


def empty_broker(scene: Scene) -> None:
    def emptied() -> int:
        broker = scene.program("valkey-server ")
        for kept in (scene.site.folder / "valkey").glob("appendonly*"):
            shutil.rmtree(kept)
        return broker

    _strike(scene, emptied, signal.SIGKILL)


def kill_beat(scene: Scene) -> None:
    _strike(scene, lambda: scene.program("soundsite beat "), signal.SIGKILL)


def kill_web(scene: Scene) -> None:
    _strike(scene, lambda: scene.program("gunicorn "), signal.SIGKILL)


def restart_database(scene: Scene) -> None:
    """It ends in a moment, and cannot be asked whether the job was still in hand."""
    database = scene.program("/postgres -D ")
    scene.catch()
    scene.strike([database], signal.SIGINT)


def fill_disk(scene: Scene) -> None:
    """No byte is left in the media store until somebody's song was refused for it."""
    if scene.disk is None:
        raise SparedError("needs root, to mount a small file system")
    refused, filler = scene.crowd.refused.total(), scene.disk / "filler"
    scene.catch()
    scene.strike([], signal.SIGCONT)
    try:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        wait_until(lambda: scene.crowd.refused.total() > refused, CATCH_SECONDS)
    finally:
        filler.unlink()


def hang_decoder(scene: Scene) -> None:
    """The process that decodes a file stops in the middle of it, and nobody wakes it."""
    decoder = scene.decoder()
    deadline = time.monotonic() + CATCH_SECONDS
    while time.monotonic() < deadline:
        scene.crowd.allowed += 1
        (child,) = wait_until(lambda: forked(decoder), CATCH_SECONDS, every=0.001)
        scene.strike([child], signal.SIGSTOP)
        if forked(decoder) == [child]:
            return
    raise AssertionError("every file was decoded too soon")


def freeze_worker(scene: Scene) -> None:
    """A worker stands still until another one has answered its job, and then goes on with it."""
    with _second_worker(scene.site) as second, ExitStack() as thawing:
        others = _kin(second)
        _signal_all(others, signal.SIGSTOP)  # so that the job is not theirs
        thawing.callback(_signal_all, others, signal.SIGCONT)
        kin, job = _freeze(scene)
        thawing.callback(_signal_all, kin, signal.SIGCONT)
        _signal_all(others, signal.SIGCONT)
        wait_until(lambda: job not in scene.ledger.open(), HEAL_SECONDS, every=0.2)
        before, told = scene.ledger.standing(job), f"stopped: upload {job}"
        thawing.close()
        wait_until(lambda: told in _log(scene.site) or _gone(kin), HEAL_SECONDS)
    late = "wrote" if told in _log(scene.site) else "was ended by its own worker before it wrote"
    changed = "nothing changed" if scene.ledger.standing(job) == before else "IT CHANGED THE ROW"
    scene.late.append(f"{before.state} in attempt {before.attempt}; the first {late}: {changed}")


def _freeze(scene: Scene) -> tuple[list[int], str]:
    """The processes of a worker that stands still in the middle of a job, and that job."""
    deadline = time.monotonic() + CATCH_SECONDS
    while time.monotonic() < deadline:
        scene.pool_child()
        worker = scene.program("-Q match ")
        job = scene.catch()
        kin = _kin(worker)
        scene.strike(kin, signal.SIGSTOP)
        if scene.ledger.running() == job:
            return kin, job[0]
        _signal_all(kin, signal.SIGCONT)
    raise AssertionError("no job was met while it was worked on")


def _kin(pid: int) -> list[int]:
    return sorted(number for number, _ in family(pid))


def _signal_all(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _gone(pids: list[int]) -> bool:
    return max(pids) not in {pid for pid, _ in identities()}


def _log(site: Site) -> str:
    return (site.folder / "logs" / "worker-match.log").read_text(errors="replace")


@contextmanager
def _second_worker(site: Site) -> Iterator[int]:
    """Another worker of uploads beside the site's own, asked to end at the end of the block."""
    urls = json.loads((site.folder / "running.json").read_text())
    key = json.loads((site.folder / "secrets.json").read_text())["secret_key"]
    command = [sys.executable, "-m", "celery", "-A", "soundsite", "worker", "--concurrency", "1"]
    command += ["--without-gossip", "--without-mingle", "-Q", "match", "-n", "second@%h"]
    log = site.folder / "logs" / "second.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **urls, "SECRET_KEY": key, "SOUNDSITE_DATA": str(site.folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: " ready." in log.read_text(errors="replace"), HEAL_SECONDS)
        yield worker.pid
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=60)
        except subprocess.TimeoutExpired:
            worker.kill()


FAULTS: dict[str, Callable[[Scene], None]] = {
    "kill -9 of a worker's child": kill_child,
    "kill -9 of a worker": kill_worker,
    "SIGTERM to a worker": end_worker,
    "kill -9 of the broker, which comes back empty": empty_broker,
    "kill -9 of beat": kill_beat,
    "kill -9 of the web server": kill_web,
    "PostgreSQL restarted": restart_database,
    "no space left for media": fill_disk,
    "a decoder that hangs": hang_decoder,
    "a worker frozen past its heartbeat, then resumed": freeze_worker,
}


@contextmanager
def small_disk(site: Site) -> Iterator[Path | None]:
    """The site's media store on DISK_MIB of memory, as root; None as anybody else."""
    if os.geteuid() != 0:
        yield None
        return
    media = site.folder / "media"
    options = f"size={DISK_MIB}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(media)], check=True)
    try:
        yield media
    finally:
        subprocess.run(["umount", "--lazy", str(media)], check=True)
