"""`python -m ml.train DIR OUT`: train a model on every audio file below DIR, without Django."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from ml import original
from ml.audio import Waveform, decode
from ml.errors import AudioError, TableError
from ml.features import extract
from ml.fma import MfccTable
from ml.pool import pool

console = Console(stderr=True)


def main(arguments: list[str] | None = None) -> int:
    """Train and write an artefact folder; 1 where no file below DIR can be used."""
    parser = argparse.ArgumentParser(prog="python -m ml.train", description=__doc__)
    source = "folder of music; a file of import_fma --features-only for original"
    parser.add_argument("directory", type=Path, metavar="DIR", help=source)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--config", choices=("soundsite", "original"), default="soundsite")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=10, help="of an epoch; soundsite only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", nargs="*", default=[], help="names of folders to leave out")
    options = parser.parse_args(arguments)
    trainer = _train_original if options.config == "original" else _train_ours
    return trainer(options)


def _train_ours(options: argparse.Namespace) -> int:
    from ml.training import Schedule, train

    log_mels = list(_heard(options, _log_mel))
    if not log_mels:
        return _nothing(options.directory)
    schedule = Schedule(options.epochs, options.steps, options.seed)
    train(log_mels, options.out, name=options.out.name, schedule=schedule, progress=_show)
    return 0


def _train_original(options: argparse.Namespace) -> int:
    try:
        statistics = _table(options)
    except TableError as error:
        console.print(str(error), markup=False)
        return 1
    if not len(statistics):
        return _nothing(options.directory)
    model = original.train(statistics, scaled=False, epochs=options.epochs, seed=options.seed)
    model.save(options.out)
    for epoch, losses in enumerate(zip(*model.history.values(), strict=True), start=1):
        _show(epoch, dict(zip(model.history, losses, strict=True)))
    return 0


def _table(options: argparse.Namespace) -> np.ndarray:
    """Statistics (N, 140) of what is below the folder, or as `import_fma` took them from FMA."""
    if options.directory.is_file():
        return MfccTable.load(options.directory).statistics
    return np.array(list(_heard(options, _statistics)))


def _heard(
    options: argparse.Namespace, describe: Callable[[Waveform], np.ndarray]
) -> Iterator[np.ndarray]:
    """What is described of every file below the folder that can be decoded, in their order."""
    paths = sorted(path for path in options.directory.rglob("*") if path.is_file())
    files = [path for path in paths if path.parent.name not in options.without]
    with pool() as listeners:
        heard = track(
            listeners.map(partial(_hear, describe), files), "Decoding", len(files), console=console
        )
        for path, found in zip(files, heard, strict=True):
            if isinstance(found, str):
                console.print(f"{path.name}: {found}", markup=False)
            else:
                yield found


def _hear(describe: Callable[[Waveform], np.ndarray], path: Path) -> np.ndarray | str:
    try:
        return describe(decode(path))
    except AudioError as error:
        return str(error)


def _log_mel(waveform: Waveform) -> np.ndarray:
    return extract(waveform).log_mel


def _statistics(waveform: Waveform) -> np.ndarray:
    return original.statistics(original.mfcc(waveform))


def _show(epoch: int, figures: dict[str, float]) -> None:
    values = "  ".join(f"{name} {value:.4g}" for name, value in sorted(figures.items()))
    console.print(f"epoch {epoch}  {values}")


def _nothing(directory: Path) -> int:
    console.print(f"no audio below {directory}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
