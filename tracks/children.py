"""Commands of `ml` as child processes: TensorFlow never enters a worker itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from tracks.heartbeat import Heartbeat
from tracks.models import Job
from tracks.services import jobs

LAST_WORDS = 2000


class ChildError(Exception):
    """The command failed; its message is for the administrator."""


class NotOursError(Exception):
    """The job was paused, cancelled or given to another worker; the command was ended."""


def work_folder(job_id: int) -> Path:
    """Everything half-made of a job; it is removed with the job's end."""
    return Path(settings.SOUNDSITE_DATA) / "work" / str(job_id)


def follow(job: Job, module: str, arguments: list[str], told: Callable[[Any], bool]) -> None:
    """Runs `python -m MODULE ARGUMENTS` while the job is ours, and hands each line to `told`.

    Raises:
        ChildError: the command failed.
        NotOursError: `told` or a heartbeat said that the job is no longer ours.
    """
    folder = work_folder(job.pk)
    command = [sys.executable, "-m", module, *arguments, "--progress", "json", "--leash"]
    ours, refusal = True, ""
    with (folder / "errors.log").open("w+") as errors, _child(command, errors) as child:

        def beat() -> bool:
            nonlocal ours
            ours = jobs.beat(job)
            if not ours:
                end(child)
            return ours

        with Heartbeat(beat):
            for line in _lines(child):
                refusal = line.get("error", refusal)
                if not told(line):
                    ours = False
                    end(child)
            child.wait()
        if not ours:
            raise NotOursError
        if child.returncode != 0:
            errors.seek(0)
            raise ChildError(refusal or errors.read()[-LAST_WORDS:] or f"exit {child.returncode}")


def run(module: str, arguments: list[str], *, seconds: float, unwanted: Callable[[], bool]) -> None:
    """Runs `python -m MODULE ARGUMENTS`, which holds to the leash by itself and says nothing.

    Args:
        unwanted: asked every second; its True ends the command.

    Raises:
        ChildError: the command failed, or took longer than `seconds`.
        NotOursError: it was ended as unwanted.
    """
    command, deadline = [sys.executable, "-m", module, *arguments], time.monotonic() + seconds
    with tempfile.TemporaryFile("w+") as errors, _child(command, errors) as child:
        while not _ended_within(child, 1.0):
            if unwanted():
                raise NotOursError
            if time.monotonic() > deadline:
                raise ChildError(f"{module} took more than {seconds:g} s")
        if child.returncode != 0:
            errors.seek(0)
            raise ChildError(errors.read()[-LAST_WORDS:] or f"exit {child.returncode}")


def _ended_within(child: subprocess.Popen[str], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    return child.returncode is not None


@contextlib.contextmanager
def _child(command: list[str], errors: Any) -> Iterator[subprocess.Popen[str]]:
    """A group of its own, on a leash: it ends with this process, see `ml.leash`."""
    child = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        end(child)
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream:
                stream.close()


def end(child: subprocess.Popen[str]) -> None:
    """Kills the command and the processes of its pool."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _lines(child: subprocess.Popen[str]) -> Iterator[Mapping[str, Any]]:
    """What it says in JSON; libraries may print other things."""
    for line in child.stdout or ():
        with contextlib.suppress(ValueError):
            if isinstance(found := json.loads(line), dict):
                yield found
