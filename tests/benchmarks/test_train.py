"""What the benchmark of training makes of what it saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import train
from benchmarks.train import Trained


def test_the_first_epoch_is_left_out_of_the_seconds() -> None:
    assert Trained(epochs=[9.0, 2.0, 3.0, 2.5]).epoch == 2.5
    assert Trained(epochs=[9.0]).epoch == 9.0


def test_the_share_of_waiting_is_that_of_an_input_that_comes_late() -> None:
    """Three seconds for each batch and one for each step."""
    assert train.waited(np.array([(3, 4), (7, 8), (11, 12), (15, 16)])) == 0.75


def test_trainings_that_differ_are_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = Trained(figures=[{"loss": 0.5}]), Trained(figures=[{"loss": 0.501}])
    paths = [tmp_path / f"{number}.npz" for number in range(3)]
    for path, weight in zip(paths, (1.0, 1.0, 1.5), strict=True):
        np.savez(path, kernel=np.array([weight]), history_loss=np.random.default_rng().random(2))
    assert train.repeats("original", one, one, *paths[:2])
    assert not train.repeats("original", one, other, *paths[:2])
    assert not train.repeats("original", one, one, *paths[1:])
    said = capsys.readouterr().out.splitlines()
    assert [line.rpartition(": ")[2] for line in said] == [
        "the same losses, the same weights",
        "OTHER losses, the same weights",
        "the same losses, OTHER weights",
    ]
