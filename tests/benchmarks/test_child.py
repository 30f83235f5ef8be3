"""The pipe between the tool and a peer's own interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.child import ROOT, Child
from benchmarks.site import wait_until
from ml.errors import SoundError

FAKE = [sys.executable, "-B", "-m", "tests.benchmarks.fake_peer"]
DOES_NOT_LOAD = """
from benchmarks.inside.answering import answer
def load():
    import a_package_that_is_not_there
answer(load)
"""
OWNS_A_PEER = """
import sys
from benchmarks.child import Child
child = Child(sys.argv[1:])
print(int(child.describe("process")[0]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child():
    made = Child(FAKE)
    yield made
    made.close()


def lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_one_process_answers_all_questions_and_what_it_prints_is_no_answer(child):
    first = child.describe("process")
    assert first == child.describe("process")
    assert lives(int(first[0]))


@pytest.mark.parametrize(("order", "words"), [("refuse", "not this one"), ("panic", "Panic")])
def test_what_a_peer_cannot_hear_costs_that_sound_alone(child, order, words):
    before = child.describe("process")
    with pytest.raises(SoundError, match=words) as refusal:
        child.describe(order)
    assert refusal.value.code == "peer-refused"
    assert child.describe("process") == before


def test_a_peer_that_dies_over_a_sound_is_started_anew_for_the_next(child):
    before = child.describe("process")
    with pytest.raises(SoundError, match="SIGILL") as refusal:
        child.describe("die")
    assert refusal.value.code == "peer-ended"
    assert child.describe("process") != before


def test_a_peer_that_died_between_two_sounds_is_an_error_too(child):
    (pid,) = child.describe("process")
    os.kill(int(pid), signal.SIGTERM)
    wait_until(lambda: not lives(int(pid)))
    with pytest.raises(SoundError, match="SIGTERM"):
        child.describe("process")


def test_a_peer_that_takes_too_long_is_killed():
    with pytest.raises(SoundError, match="SIGKILL"):
        Child(FAKE, limit=0.1).describe("hang")


def test_a_peer_that_does_not_load_says_why():
    child = Child([sys.executable, "-B", "-c", DOES_NOT_LOAD])
    with pytest.raises(SoundError, match="a_package_that_is_not_there"):
        child.describe("anything")
    child.close()


def test_a_closed_peer_is_gone(child):
    (pid,) = child.describe("process")
    child.close()
    assert not lives(int(pid))


@pytest.mark.parametrize("end", ["in peace", "by SIGKILL"])
def test_a_peer_ends_with_its_owner(end):
    command = [sys.executable, "-B", "-c", OWNS_A_PEER, *FAKE]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        pid = int(owner.stdout.readline())
        assert lives(pid)
        if end == "by SIGKILL":
            owner.kill()
        owner.stdin.close()
        wait_until(lambda: not lives(pid))
