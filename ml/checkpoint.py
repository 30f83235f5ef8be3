"""How far a training has come, as one file that the next process goes on from. NumPy only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

FILE = "checkpoint.npz"


@dataclass(frozen=True)
class Checkpoint:
    """A training after some epochs.

    Attributes:
        training: what must be the same for the rest to go on: data, settings, schedule.
        epoch: epochs that are done.
        history: figures by epoch.
        weights: of the model, in its order.
        optimizer: variables of the optimizer, in its order.
        generators: states of the random generators by name.
    """

    training: str
    epoch: int
    history: Mapping[str, list[float]]
    weights: Sequence[np.ndarray]
    optimizer: Sequence[np.ndarray]
    generators: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Replaces the one before; whenever the process ends, one of the two is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        told = [self.training, self.epoch, self.history, self.generators]
        arrays: dict[str, Any] = {"told": np.array(json.dumps(told))}
        arrays |= {f"weight_{i}": array for i, array in enumerate(self.weights)}
        arrays |= {f"optimizer_{i}": array for i, array in enumerate(self.optimizer)}
        fresh = folder / f"{FILE}.new"
        with fresh.open("wb") as file:
            np.savez(file, **arrays)
        os.replace(fresh, folder / FILE)


def load(folder: Path | None, training: str) -> Checkpoint | None:
    """The checkpoint of that very training; None where there is none that can be used."""
    if folder is None or not (folder / FILE).exists():
        return None
    try:
        with np.load(folder / FILE, allow_pickle=False) as archive:
            arrays = dict(archive)
        found, epoch, history, generators = json.loads(str(arrays["told"]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    if found != training:
        return None
    weights, optimizer = _numbered(arrays, "weight"), _numbered(arrays, "optimizer")
    return Checkpoint(training, epoch, history, weights, optimizer, generators)


def _numbered(arrays: Mapping[str, np.ndarray], name: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{name}_") for key in arrays)
    return [arrays[f"{name}_{i}"] for i in range(count)]
