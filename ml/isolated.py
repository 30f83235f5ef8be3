"""Decode what a stranger sent: the same samples as `ml.audio.decode`, by a process of its own.

What a file does to its decoder - crash it, hang it, fill its memory - costs that file and nothing
else. `ml.decoder` is started once a process and forks a confined child for each file; samples come
back through a file in memory, of which either side holds a block at a time; nothing is unpickled.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ml.audio import SAMPLE_RATE, Sound, bounded, judged
from ml.confine import MEASURES, Limits
from ml.decoder import MESSAGE_BYTES
from ml.errors import AudioError

logger = logging.getLogger(__name__)

CPU_SECONDS = 120
WALL_SECONDS = 180.0
MEMORY_BYTES = 1 << 30
_ROOT = Path(__file__).resolve().parent.parent
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")  # of the environment: no secrets
# A child begins without memory of its own: large pages come faster, 4 % of all that it takes.
_LARGE_PAGES = "glibc.malloc.hugetlb=1"
_START_SECONDS = 60.0
_PATIENCE = 30.0  # beyond the wall limit, which the decoder holds itself
_CODES = ("not-audio", "reference", "damaged", "too-long", "decoder-limit", "decoder-crashed")


def decode(
    source: str | Path,
    *,
    max_seconds: float,
    min_seconds: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> Sound:
    """Decode the first audio stream of a file in a confined process.

    Args:
        source: path of the file; its name plays no part.
        max_seconds: greatest length; decoding stops as soon as it is passed.
        min_seconds: least length of decoded audio.
        sample_rate: of the result, in Hz.

    Raises:
        AudioError: as `ml.audio.decode`; `decoder-limit` when it took more time or memory than one
            file may; `decoder-crashed`.
        OSError: the file cannot be read, or no decoder can be started.
    """
    written = 4 * int((max_seconds + 60) * sample_rate)  # a block may pass the limit
    limits = Limits(MEMORY_BYTES, CPU_SECONDS, WALL_SECONDS, written)
    request = {"sample_rate": sample_rate, "max_seconds": max_seconds, "limits": asdict(limits)}
    samples = Stored()
    with open(source, "rb") as file:
        _raise_what_was_told(_ask(request, file.fileno(), samples.fileno))
    return judged(Sound(samples, sample_rate), min_seconds=min_seconds)


class Stored:
    """Samples (n,), float32, in a file in memory that ends with this object.

    Only what is asked for is read: long pieces are nobody's own memory.
    """

    def __init__(self) -> None:
        self.fileno = os.memfd_create("samples")
        weakref.finalize(self, os.close, self.fileno)

    def __len__(self) -> int:
        return os.fstat(self.fileno).st_size // 4

    def __getitem__(self, stretch: slice) -> np.ndarray:
        first, last, _ = stretch.indices(len(self))
        read = os.pread(self.fileno, 4 * max(last - first, 0), 4 * first)
        return bounded(np.frombuffer(read, np.float32))


def _ask(request: dict[str, Any], *files: int) -> dict[str, Any]:
    """A decoder that was killed is replaced, once; its child wrote nothing that is read."""
    try:
        return _asked(request, *files)
    except ConnectionError:
        logger.warning("the decoder was gone and is started anew")
        return _asked(request, *files)


def _asked(request: dict[str, Any], *files: int) -> dict[str, Any]:
    asked = decoder()
    try:
        return asked.ask(request, *files)
    except BaseException:
        _end(asked)
        raise


def _raise_what_was_told(told: dict[str, Any]) -> None:
    """What a child says is believed as little as its file: only codes that it may use."""
    outcome = told["outcome"]
    if outcome == {}:
        return
    if told["late"]:
        raise AudioError("decoder-limit", f"not done after {told['seconds']:.0f} s")
    if told["signal"] == signal.SIGXCPU:
        raise AudioError("decoder-limit", f"more than {CPU_SECONDS} s of computing")
    if outcome is None and told["signal"] == signal.SIGKILL:
        raise AudioError("decoder-limit", "killed by the system, which was short of memory")
    if outcome is None or outcome.get("code") not in _CODES:
        raise AudioError("decoder-crashed", f"the decoder ended with signal {told['signal']}")
    raise AudioError(outcome["code"], str(outcome.get("detail", "")))


class Decoder:
    """The process that forks for each file.

    Attributes:
        told: its last answer, see `ml.decoder`: what the child took, and what ended it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ml.decoder"],
                cwd=_ROOT,
                env=_environment(),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.told: dict[str, Any] = {}
        try:
            self._listen(_START_SECONDS)
        except BaseException:
            self.end()
            raise
        _log_what_is_missing(self.told["outcome"] or {})

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: dict[str, Any], *files: int) -> dict[str, Any]:
        """Have one file decoded.

        Raises:
            ConnectionError: the process is gone, and has to be started anew.
        """
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], files)
                return self._listen(request["limits"]["wall_seconds"] + _PATIENCE)
            except BaseException:  # a time limit, say: nobody waits for that answer any more
                self.end()
                raise

    def _listen(self, seconds: float) -> dict[str, Any]:
        self._control.settimeout(seconds)
        message = self._control.recv(MESSAGE_BYTES)
        if not message:
            raise ConnectionError("the decoder is gone")
        self.told = json.loads(message)
        return self.told

    def end(self) -> None:
        """The process ends when it notices, and its child with it."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def belongs_to_the_parent(self) -> None:
        """After a fork: this copy neither speaks with the process nor waits for it."""
        self._control.close()
        self._process.returncode = 0


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "GLIBC_TUNABLES": _LARGE_PAGES}


def _log_what_is_missing(outcome: dict[str, Any]) -> None:
    held = outcome.get("held", [])
    missing = [name for name in MEASURES if name not in held]
    if missing:
        logger.warning(
            "decoders are confined by limits and %s here; this system gives no %s",
            " and ".join(held) or "nothing else",
            ", no ".join(missing),
        )


_decoder: Decoder | None = None
_starting = threading.Lock()


def decoder() -> Decoder:
    """This process's decoder, started if there is none. Workers do that before their first job."""
    global _decoder
    with _starting:
        if _decoder is None:
            _decoder = Decoder()
        return _decoder


def _end(gone: Decoder | None = None) -> None:
    """Ends this process's decoder, if it is (still) that one."""
    global _decoder
    with _starting:
        if _decoder is not None and gone in (None, _decoder):
            _decoder.end()
            _decoder = None


def _forget() -> None:
    """In the child of a fork."""
    global _decoder, _starting
    _starting = threading.Lock()
    if _decoder is not None:
        _decoder.belongs_to_the_parent()
        _decoder = None


os.register_at_fork(after_in_child=_forget)
atexit.register(_end)
