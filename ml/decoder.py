"""Decodes what strangers sent, each file in a child of its own: `python -m ml.decoder`.

This process imports the decoders once and forks for each file, which takes milliseconds. It has one
thread and no secret in its environment, and never looks at a file itself. `ml.isolated` talks to it
through its standard input, a socket: a request comes with the file, and with memory for samples.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np
import soundfile

from ml.audio import write_by_libsndfile, write_samples
from ml.confine import Limits, confine
from ml.errors import AudioError

MESSAGE_BYTES = 16 * 1024
_OUTCOME_BYTES = 4096
_DETAIL = 500  # characters
_LATE = ("audio", "video", "subtitles")  # parts of PyAV that wait for the first such stream
_PROBE = Limits(memory=1 << 31, cpu_seconds=10, wall_seconds=10.0, written=0)

Outcome = dict[str, Any]


def main() -> None:
    """Say how well a child can be confined here, then answer requests until the socket closes."""
    control = socket.socket(fileno=0)
    _load_what_comes_late()
    told = _in_child(control, [], _PROBE, lambda: {"held": confine(_PROBE)})
    control.send(json.dumps(told).encode())
    while True:
        message, files, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        if not message:
            return
        request = json.loads(message)
        limits = Limits(**request.pop("limits"))
        source, samples = files
        work = partial(_decode, source, samples, limits, **request)
        told = _in_child(control, files, limits, work)
        for file in files:
            os.close(file)
        control.send(json.dumps(told).encode())


def _load_what_comes_late() -> None:
    """What the libraries import at their first use must be here before: a child opens no files."""
    for kind in _LATE:
        importlib.import_module(f"av.{kind}.stream")
        importlib.import_module(f"av.{kind}.codeccontext")
    with open(os.memfd_create("tone"), "w+b") as file:
        soundfile.write(file, np.ones(8000, np.float32), 8000, format="WAV")
        file.seek(0)
        write_samples(file, io.BytesIO())
        write_by_libsndfile(file, io.BytesIO())


def _decode(source: int, samples: int, limits: Limits, **options: Any) -> Outcome:
    """Decodes one open file into another; this process is good for nothing else afterwards.

    What is written is nobody's own memory, so that a long piece needs no more than a short one.
    """
    confine(limits)
    try:
        with (
            open(source, "rb", closefd=False) as file,
            open(samples, "wb", closefd=False) as kept,
        ):
            write_samples(file, kept, **options)
    except AudioError as error:
        return {"code": error.code, "detail": error.detail[:_DETAIL]}
    except MemoryError:
        return {"code": "decoder-limit", "detail": f"more than {limits.memory} bytes of memory"}
    except Exception as error:  # ours to mend, and no reason to stop the worker
        return {"code": "decoder-crashed", "detail": f"{type(error).__name__}: {error}"[:_DETAIL]}
    return {}


def _in_child(
    control: socket.socket, files: list[int], limits: Limits, work: Callable[[], Outcome]
) -> Outcome:
    """Runs `work` in a child that is gone when this returns.

    Returns:
        `outcome`: what the child said, or None; `signal` and `late`: what ended it, if so;
        `seconds` on the clock, `computing` and `kib` of memory that it took.
    """
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_child(work, writing, files)
    with contextlib.suppress(OSError):  # it did so itself, or ended
        os.setpgid(child, child)
    os.close(writing)
    said, late = _said(control, reading, began + limits.wall_seconds)
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    died = said is None and os.WIFSIGNALED(status)  # one that spoke is killed by us, if need be
    return {
        "outcome": said,
        "signal": os.WTERMSIG(status) if died else 0,
        "late": late,
        "seconds": time.monotonic() - began,
        "computing": usage.ru_utime + usage.ru_stime,
        "kib": usage.ru_maxrss,
    }


def _be_child(work: Callable[[], Outcome], writing: int, files: list[int]) -> NoReturn:
    """Nothing stays open but the file, the memory for samples and the pipe to say what came."""
    try:
        os.setpgid(0, 0)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):  # the first is the way to the worker
            os.dup2(nowhere, standard)
        _close_all_but({0, 1, 2, writing, *files})
        os.write(writing, json.dumps(work()).encode()[:_OUTCOME_BYTES])
    finally:
        os._exit(0)


def _close_all_but(kept: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):  # that of the list itself is closed by now
                os.close(int(name))


def _said(control: socket.socket, reading: int, deadline: float) -> tuple[Outcome | None, bool]:
    """What the child said before the deadline, and whether that passed.

    The worker says nothing meanwhile: if its end of the socket stirs, it is gone, and nobody waits.
    """
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(control, select.POLLIN)
    ready = {file for file, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
    if reading not in ready:
        return None, not ready
    try:
        said = json.loads(os.read(reading, _OUTCOME_BYTES))
    except (ValueError, RecursionError):
        said = None
    return (said if isinstance(said, dict) else None), False


if __name__ == "__main__":
    main()
