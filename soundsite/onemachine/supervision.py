"""supervisord as a child: started, spoken to, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xmlrpc.client import Fault, ServerProxy

from soundsite.embedded import child, private
from soundsite.embedded.errors import StartError
from soundsite.onemachine.terminal import await_true, say

STOP_SECONDS = 9.0


@dataclass(frozen=True)
class Supervisor:
    process: subprocess.Popen[bytes]
    proxy: ServerProxy

    def answers(self) -> bool:
        if not self.alive():
            raise StartError("supervisord ended at once; see logs/supervisord.log.")
        try:
            return bool(self.proxy.supervisor.getState())
        except (OSError, Fault):
            return False

    def alive(self) -> bool:
        return self.process.poll() is None

    def start(self, *names: str) -> None:
        """Starts programs of the site; they are up some time later."""
        for name in names:
            self.proxy.supervisor.startProcess(f"site:{name}", False)

    def stop(self) -> None:
        """Ends everything within STOP_SECONDS; what does not listen by then is killed."""
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Its children end with it, each by the kernel's signal.
            self.process.kill()
            self.process.wait()


@contextmanager
def supervised(
    folder: Path, configuration: str, port: int, password: str, environment: dict[str, str]
) -> Iterator[Supervisor]:
    """supervisord for as long as this lasts; it dies with this process in any case.

    And what it runs dies with it: each by the signal that its program names for that.
    """
    path = folder / "supervisord.conf"
    private.write(path, configuration)
    line = [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]
    process = subprocess.Popen(
        child.command(line, owner=os.getpid()),
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    proxy = ServerProxy(f"http://soundsite:{password}@127.0.0.1:{port}/RPC2")
    supervisor = Supervisor(process, proxy)
    try:
        await_true(supervisor.answers, 20, "supervisord did not answer within 20 s.")
        yield supervisor
    finally:
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)
        say("Stopping")
        supervisor.stop()


def follow(supervisor: Supervisor, log: Path) -> None:
    """Shows the lines of `log` as they come, until supervisord ends. Raises StartError then."""
    seen = log.stat().st_size if log.exists() else 0
    while supervisor.alive():
        if log.exists() and (size := log.stat().st_size) != seen:
            with log.open("rb") as file:
                file.seek(seen if size > seen else 0)
                sys.stderr.write(file.read().decode(errors="replace"))
                sys.stderr.flush()
                seen = file.tell()
        time.sleep(0.5)
    raise StartError("supervisord ended unexpectedly; see logs/supervisord.log.")
