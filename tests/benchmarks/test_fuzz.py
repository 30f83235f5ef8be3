"""The fuzzing benchmark itself: it ends, tells what became of every file, and counts the dead."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks import fuzz
from benchmarks.mutations import mutated


def test_a_small_run_ends_and_tells_of_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(["--files", "4", "--seed", "3", "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert "| files | 4 in 0 min |" in told
    assert "| **deaths of a worker** | **0** |" in told


def test_a_worker_that_dies_is_counted_with_its_file() -> None:
    fine = fuzz.Result(0, "mp3", "answered", True, 1.0, 1024, 2048)
    told = fuzz.table([fine, fuzz._death(1, "ogg", -11)], 60.0)
    assert "| **deaths of a worker** | **1** |" in told
    assert "| errors nobody foresaw | 0 |" in told


def test_the_damage_depends_on_the_seed_alone() -> None:
    content, other = bytes(5000), bytes(range(256))
    first, again = (mutated(Random("1 7"), content, other) for _ in range(2))
    assert first == again != content
