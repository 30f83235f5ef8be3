"""What the benchmarks of starting and of memory make of what they saw."""

from __future__ import annotations

import pytest

from benchmarks import memory, start
from benchmarks.memory import Held
from benchmarks.start import Step

STEPS = [
    Step("Starting the database and the broker", 0.5, 0.4),
    Step("Starting the site", 3.0, 2.5),
    Step("Ready: http://127.0.0.1:8000", 7.0, 9.5),
    Step("workers ready", 8.5, 11.0),
]


def test_a_start_in_time_is_told_by_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.told("start 1", STEPS, goal=10)
    said = capsys.readouterr().out.splitlines()
    assert said[2].split() == ["Starting", "the", "database", "and", "the", "broker", "2.5", "2.1"]
    assert said[-1].split()[:4] == ["Ready", "after", "7.0", "9.5"]
    assert said[-1].endswith("at most 10 s: held")


def test_a_start_that_takes_too_long_is_noticed() -> None:
    assert not start.told("start 1", STEPS, goal=6)


def test_a_web_process_above_its_goal_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    small, large = Held("web process", 110, 60), Held("web process", 130, 78)
    assert memory.told([small, Held("beat", 400, 300)])
    assert not memory.told([small, large])
    assert capsys.readouterr().out.count("MISSED") == 1
