"""What the benchmark of waiting pages makes of what locust saw."""

from __future__ import annotations

import pytest

from benchmarks.polling import Measured, told

FINE: Measured = [("poll", 5.0, 204)] * 97 + [("poll", 300.0, 200)] * 3 + [("upload", 90.0, 201)]


def test_goals_that_are_met_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(FINE)
    said = capsys.readouterr().out
    assert "2 a second, {200: 3, 204: 97}" in said
    assert "p95 5 ms (at most 50), p99 300 ms" in said
    assert "uploads accepted: 1 of 1" in said


@pytest.mark.parametrize(
    "bad",
    [[("poll", 300.0, 204)] * 9, [("poll", 5.0, 500)], [("upload", 90.0, 429)]],
    ids=["slow", "an error", "an upload refused"],
)
def test_a_goal_that_is_missed_is_noticed(bad: Measured) -> None:
    assert not told(FINE + bad)
