"""`python -m ml.train DIR OUT`: train a model on every audio file below DIR, without Django.

With `--files LIST` the files of a list are taken in the place of a folder: `ml.train OUT`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from ml import leash, original, overrides
from ml.artefact import write_manifest
from ml.audio import Waveform, decode
from ml.errors import AudioError, TableError
from ml.features import FeatureSettings, extract
from ml.fma import MfccTable
from ml.pool import pool
from ml.settings import ModelSettings
from ml.telling import tell

console = Console(stderr=True)


def main(arguments: list[str] | None = None) -> int:
    """Train and write an artefact folder; 1 where no file below DIR can be used."""
    options = _parser().parse_args(arguments)
    if options.leash:
        leash.hold()
    try:
        text = options.settings.read_text() if options.settings else "{}"
        options.overrides = overrides.parse(text)
    except ValueError as error:
        return _refused(options, str(error))
    trainer = _train_original if options.config == "original" else _train_ours
    return trainer(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml.train", description=__doc__)
    source = "folder of music; a file of import_fma --features-only for original"
    parser.add_argument("directory", nargs="?", type=Path, metavar="DIR", help=source)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--files", type=Path, metavar="LIST", help="paths, one a line")
    parser.add_argument("--config", choices=("soundsite", "original"), default="soundsite")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="JSON of ml.overrides")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=10, help="of an epoch; soundsite only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", nargs="*", default=[], help="names of folders to leave out")
    parser.add_argument("--checkpoint", type=Path, metavar="DIR", help="keep and go on from here")
    parser.add_argument("--progress", choices=("text", "json"), default="text")
    parser.add_argument("--leash", action="store_true", help="end when standard input ends")
    return parser


def _train_ours(options: argparse.Namespace) -> int:
    from ml.fitting import Schedule
    from ml.training import train

    settings = ModelSettings.overridden(options.overrides)
    log_mels = _heard(options, partial(_log_mel, settings=settings.features))
    first = next(log_mels, None)
    if first is None:
        return _nothing(options)
    train(
        chain([first], log_mels),
        options.out,
        name=options.out.name,
        settings=settings,
        schedule=Schedule(options.epochs, options.steps, options.seed),
        progress=_reporter(options),
        checkpoints=options.checkpoint,
    )
    return 0


def _train_original(options: argparse.Namespace) -> int:
    if options.overrides:
        return _refused(options, "The original system has no settings to override.")
    try:
        statistics = _table(options)
    except TableError as error:
        return _refused(options, str(error))
    if not len(statistics):
        return _nothing(options)
    model = original.train(
        statistics,
        scaled=False,
        epochs=options.epochs,
        seed=options.seed,
        progress=_reporter(options),
        checkpoints=options.checkpoint,
    )
    if options.out.suffix == ".npz":
        model.save(options.out)
    else:
        _write_original(model, statistics, options)
    return 0


def _table(options: argparse.Namespace) -> np.ndarray:
    """Statistics (N, 140) of what is below the folder, or as `import_fma` took them from FMA."""
    if options.directory and options.directory.is_file():
        return MfccTable.load(options.directory).statistics
    return np.array(list(_heard(options, _statistics)))


def _write_original(
    model: original.OriginalModel, statistics: np.ndarray, options: argparse.Namespace
) -> None:
    """An artefact folder, as a version of our own has it."""
    options.out.mkdir(parents=True, exist_ok=True)
    model.save(options.out / original.WEIGHTS)
    training = {
        "tracks": len(statistics),
        "digest": original.data_digest(statistics),
        "seed": options.seed,
        "epochs": options.epochs,
        "history": dict(model.history),
    }
    facts = {"name": options.out.name, "config": "original", "embedding_dim": original.CODES}
    write_manifest(options.out, {**facts, "training": training})


def _files(options: argparse.Namespace) -> list[Path]:
    """Those of the list in its order, or all below the folder by name."""
    if options.files:
        return [Path(line) for line in options.files.read_text().splitlines() if line]
    paths = sorted(path for path in options.directory.rglob("*") if path.is_file())
    return [path for path in paths if path.parent.name not in options.without]


def _heard(
    options: argparse.Namespace, describe: Callable[[Waveform], np.ndarray]
) -> Iterator[np.ndarray]:
    """What is described of every file below the folder that can be decoded, in their order."""
    files = _files(options)
    with pool() as listeners:
        heard = track(
            listeners.map(partial(_hear, describe), files), "Decoding", len(files), console=console
        )
        for number, (path, found) in enumerate(zip(files, heard, strict=True), start=1):
            if options.progress == "json":
                tell(stage="listening", done=number, total=len(files))
            if isinstance(found, str):
                console.print(f"{path.name}: {found}", markup=False)
            else:
                yield found


def _hear(describe: Callable[[Waveform], np.ndarray], path: Path) -> np.ndarray | str:
    try:
        return describe(decode(path))
    except AudioError as error:
        return str(error)


def _log_mel(waveform: Waveform, settings: FeatureSettings) -> np.ndarray:
    return extract(waveform, settings).log_mel


def _statistics(waveform: Waveform) -> np.ndarray:
    return original.statistics(original.mfcc(waveform))


def _show(epoch: int, figures: dict[str, float]) -> None:
    values = "  ".join(f"{name} {value:.4g}" for name, value in sorted(figures.items()))
    console.print(f"epoch {epoch}  {values}")


def _reporter(options: argparse.Namespace) -> Callable[[int, dict[str, float]], None]:
    """Says after each epoch how it went, and how long it took."""
    if options.progress == "text":
        return _show
    began = [time.monotonic()]

    def report(epoch: int, figures: dict[str, float]) -> None:
        seconds, began[0] = time.monotonic() - began[0], time.monotonic()
        figures = {name: float(value) for name, value in figures.items()}
        tell(stage="training", epoch=epoch, epochs=options.epochs, seconds=seconds, figures=figures)

    return report


def _nothing(options: argparse.Namespace) -> int:
    return _refused(options, f"no audio below {options.directory or options.files}")


def _refused(options: argparse.Namespace, sentence: str) -> int:
    console.print(sentence, markup=False)
    if options.progress == "json":
        tell(error=sentence)
    return 1


if __name__ == "__main__":
    sys.exit(main())
