"""A process of another interpreter that describes files; `benchmarks.inside.answering` is in it.

Down the pipe goes the path of a WAV file, as JSON on a line; up comes a line with ``embedding``,
a list of numbers, or with ``refusal``, the reason why there is none.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ml.errors import SoundError

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS = 600.0


class Child:
    """Started by the first question, started anew after it died, ended with this process.

    Args:
        command: the interpreter and its arguments.
        limit: seconds for one answer; who takes longer is killed.
    """

    def __init__(self, command: Sequence[str], limit: float = ANSWER_SECONDS) -> None:
        self.command, self.limit = command, limit
        self._process: subprocess.Popen[str] | None = None

    def describe(self, path: str) -> list[float]:
        """The embedding (d,) of a file.

        Raises:
            SoundError: `peer-refused`, it said why it cannot; `peer-ended`, it died over it.
        """
        process = self._process or self._start()
        line = _ask(process, path, self.limit)
        if not line:
            self._process = None
            raise SoundError("peer-ended", _end(process))
        reply: dict[str, list[float]] = json.loads(line)
        if "embedding" not in reply:
            raise SoundError("peer-refused", str(reply["refusal"]))
        return reply["embedding"]

    @property
    def pid(self) -> int:
        """Of the process, which must have been asked something."""
        assert self._process
        return self._process.pid

    def close(self) -> None:
        """End the process; another question would start another."""
        if self._process:
            _end(self._process)
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        weakref.finalize(self, _end, process)  # at the latest when this process ends
        self._process = process
        return process


def _ask(process: subprocess.Popen[str], path: str, limit: float) -> str:
    """The line that it answers; empty where it died or had to be killed."""
    timer = threading.Timer(limit, process.kill)
    timer.start()
    try:
        print(json.dumps(path), file=process.stdin, flush=True)
        return process.stdout.readline() if process.stdout else ""
    except BrokenPipeError:
        return ""
    finally:
        timer.cancel()


def _end(process: subprocess.Popen[str]) -> str:
    """Close the pipes, at which it ends, and say how it ended."""
    with suppress(BrokenPipeError), process:
        pass
    status = process.returncode
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
