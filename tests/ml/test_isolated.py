"""The decoder's own process: the same samples, no rights, and deaths that cost one file."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.processes import parents
from ml import isolated
from ml.audio import SAMPLE_RATE, decode
from ml.confine import MEASURES
from ml.errors import AudioError
from tests.conftest import wait_until
from tests.ml.test_audio import RATE, tone

ROOT = Path(__file__).resolve().parent.parent.parent

# What each measure forbids by itself; the limits hold everywhere.
TRIES = """
import json, os, socket, sys
from ml import confine

def connect():
    socket.socket().connect(("127.0.0.1", int(sys.argv[2])))

tries = {
    "open": lambda: open("/etc/hostname"),
    "write": lambda: open("/tmp/escaped", "w"),
    "list": lambda: os.listdir("/"),
    "connect": connect,
    "socket": socket.socket,
    "fork": lambda: os.fork() or os._exit(0),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
    "root": lambda: os.setuid(0),
    "memory": lambda: bytearray(3 << 30),
}
if sys.argv[1] != "all":
    for name in {"landlock", "seccomp"} - {sys.argv[1]}:
        setattr(confine, "_" + name, lambda libc: False)
held = confine.confine(confine.Limits(2 << 30, 10, 10.0, 1 << 20))
denied = []
for name, attempt in tries.items():
    try:
        attempt()
    except (OSError, MemoryError):
        denied.append(name)
os.write(1, json.dumps({"held": held, "denied": denied}).encode())
os._exit(0)
"""
FORBIDS = {
    "landlock": {"open", "write", "list", "connect"},
    "seccomp": {"open", "write", "list", "connect", "socket", "fork", "exec", "signal", "root"},
}


def confined(measure: str, port: int = 9) -> tuple[set[str], set[str]]:
    """What holds, and what was denied, under one measure or `all`."""
    command = [sys.executable, "-c", TRIES, measure, str(port)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    told = json.loads(said)
    return set(told["held"]), set(told["denied"])


@pytest.mark.parametrize("measure", ["all", "landlock", "seccomp"])
def test_a_confined_process_is_denied_what_each_measure_of_this_kernel_forbids(
    measure: str,
) -> None:
    held, denied = confined(measure)
    expected = set().union(*(FORBIDS.get(name, set()) for name in held))
    assert denied >= expected | {"fork", "memory"}  # by the limits alone, too


def test_a_system_without_a_measure_is_told_in_one_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    isolated._log_what_is_missing({"held": list(MEASURES)})
    assert caplog.messages == []
    with caplog.at_level(logging.WARNING):
        isolated._log_what_is_missing({"held": ["user"]})
    assert caplog.messages == [
        "decoders are confined by limits and user here; this system gives no landlock, no seccomp"
    ]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "opus.ogg"])
def test_samples_are_the_same_bits_from_a_process_of_its_own(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"tone.{ending}"
    wide = np.column_stack([tone(3.0), tone(3.0, 660.0)])
    subtype = "OPUS" if "opus" in ending else None
    soundfile.write(path, wide, 48_000 if subtype else RATE, subtype=subtype)
    here, there = decode(path), isolated.decode(path, max_seconds=60)
    assert here.samples.dtype == there.samples[:].dtype == np.float32
    assert np.array_equal(here.samples, there.samples[:])


def test_refusals_are_the_same_from_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    for content in (b"no audio", b"#EXTM3U\nhttp://x/", b"fLaC" + bytes(range(256)) * 20):
        path.write_bytes(content)
        with pytest.raises(AudioError) as here:
            decode(path)
        with pytest.raises(AudioError) as there:
            isolated.decode(path, max_seconds=60)
        assert str(here.value) == str(there.value)
    soundfile.write(path, tone(3.0), RATE)
    for limits, code in (({"max_seconds": 2}, "too-long"), ({"min_seconds": 5}, "too-short")):
        with pytest.raises(AudioError, match=code):
            isolated.decode(path, **{"max_seconds": 60, **limits})


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "tone.flac"
    soundfile.write(path, tone(2.0), RATE)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Path]:
    """A file whose reader waits for ever."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield path
    os.close(writer)


def works(song: Path) -> bool:
    return len(isolated.decode(song, max_seconds=60).samples) > 0


def code_of(path: Path) -> tuple[str, str]:
    with pytest.raises(AudioError) as failure:
        isolated.decode(path, max_seconds=60)
    return failure.value.code, failure.value.detail


def child_of(decoder: int) -> int:
    """The child that decodes at the moment, once it is there."""

    def found() -> list[int]:
        return [pid for pid, parent in parents().items() if parent == decoder]

    return wait_until(found)[0]


@contextmanager
def meanwhile(act: Callable[[], Any]) -> Iterator[None]:
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join()


def test_a_file_that_hangs_its_decoder_is_given_up_at_the_wall_limit(
    endless: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = isolated.decoder()
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "WALL_SECONDS", 0.3)
        assert code_of(endless)[0] == "decoder-limit"
    assert works(song)
    assert isolated.decoder() is decoder
    assert decoder.pid not in parents().values()


def test_a_file_that_wants_too_much_memory_costs_only_itself(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = tmp_path / "wide.wav"  # a block of it takes 2 MB at every stage
    soundfile.write(wide, np.random.default_rng(0).normal(0, 0.1, (200_000, 8)), 48_000)
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "MEMORY_BYTES", 1 << 20)
        assert code_of(wide)[0] in ("decoder-limit", "decoder-crashed")
    assert works(wide)
    assert works(song)


def test_half_an_hour_takes_no_more_memory_than_a_short_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.flac"
    beats = np.zeros((30 * 60, 8000), np.int16)
    beats[:, :100] = 20_000
    soundfile.write(path, beats.ravel(), 8000)
    samples = 4 * 30 * 60 * SAMPLE_RATE  # bytes
    monkeypatch.setattr(isolated, "MEMORY_BYTES", size_of(isolated.decoder().pid) + samples // 2)
    sound = isolated.decode(path, max_seconds=3600)
    assert sound.duration == pytest.approx(30 * 60, abs=1)
    assert isolated.decoder().told["kib"] < samples / 2 / 1024


def size_of(pid: int) -> int:
    """Bytes of its address space."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def test_a_file_that_computes_for_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(20 * 60 * 8000, np.int16), 8000)
    monkeypatch.setattr(isolated, "CPU_SECONDS", 1)
    with pytest.raises(AudioError) as failure:
        isolated.decode(path, max_seconds=3600, sample_rate=192_000)
    assert str(failure.value) == "decoder-limit: more than 1 s of computing"


def test_a_file_that_crashes_its_decoder_costs_only_itself(endless: Path, song: Path) -> None:
    decoder = isolated.decoder()
    with meanwhile(lambda: os.kill(child_of(decoder.pid), signal.SIGSEGV)):
        told = code_of(endless)
    assert told == ("decoder-crashed", "the decoder ended with signal 11")
    assert works(song)
    assert isolated.decoder() is decoder


def test_a_decoder_that_was_killed_is_started_anew(
    song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = isolated.decoder().pid
    os.kill(killed, signal.SIGKILL)
    assert works(song)
    assert isolated.decoder().pid != killed
    assert "the decoder was gone and is started anew" in caplog.messages


class TimeIsUp(Exception):
    """As Celery's soft time limit: raised wherever the process is."""


def test_a_time_limit_of_the_job_leaves_no_child_and_no_answer_for_the_next_file(
    endless: Path, song: Path
) -> None:
    def up(*_: Any) -> None:
        raise TimeIsUp

    decoder = isolated.decoder().pid
    before = signal.signal(signal.SIGALRM, up)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimeIsUp):
            isolated.decode(endless, max_seconds=60)
    finally:
        signal.signal(signal.SIGALRM, before)
    wait_until(lambda: decoder not in parents() and decoder not in parents().values())
    assert works(song)


def test_a_fork_of_the_worker_has_a_decoder_of_its_own(song: Path) -> None:
    decoder = isolated.decoder()
    child = os.fork()
    if child == 0:
        os._exit(0 if works(song) and isolated.decoder().pid != decoder.pid else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert isolated.decoder() is decoder
    assert works(song)


def test_the_decoder_knows_no_secrets_and_ends_with_its_worker(song: Path) -> None:
    code = (
        "import os, signal; from ml import isolated; "
        "print(isolated.decoder().pid, flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    )
    environment = {**os.environ, "SECRET_KEY": "what nobody may know"}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        decoder = int(worker.stdout.readline())
        assert b"nobody may know" not in Path(f"/proc/{decoder}/environ").read_bytes()
        worker.kill()
    wait_until(lambda: not Path(f"/proc/{decoder}").exists() or not _runs(decoder))


def _runs(pid: int) -> bool:
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
