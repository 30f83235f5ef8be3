"""Measure everything that `docs/model-card.md` shows, and write it there.

    python -m benchmarks.table MUSIC
    python -m benchmarks.table MUSIC --honest OUT

MUSIC is the folder of `benchmarks.music`, OUT an artefact that was trained without the soundtracks
of `UNHEARD`; without it the block of unheard music stays as it is. Reports and ranks come to lie
below `var/table`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import card
from ml import evaluate
from ml.evaluation.cache import default_folder

ROOT = Path(__file__).resolve().parent.parent
CARD = ROOT / "docs" / "model-card.md"
REPORTS = ROOT / "var" / "table"
UNHEARD = ("ardentryst", "drascula", "hyperrogue", "noiz2sa", "pushover", "tumiki-fighters")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the first exit status that is not zero."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__)
    parser.add_argument("music", type=Path, metavar="MUSIC")
    parser.add_argument("--model", type=Path, default=ROOT / "ml" / "pretrained" / "soundsite-1")
    parser.add_argument("--honest", type=Path, metavar="OUT")
    parser.add_argument("--cache", type=Path, default=default_folder(), help="what was heard")
    options = parser.parse_args(arguments)
    demo, train = options.music / "demo", options.music / "train"
    blocks = {"demo": (options.model, [demo]), "all": (options.model, [demo, train])}
    if options.honest:
        blocks["honest"] = options.honest, [demo / name for name in UNHEARD]
    for name, (model, folders) in blocks.items():
        failed = measure(name, model, folders, options)
        if failed:
            return failed
    return 0


def measure(name: str, model: Path, folders: list[Path], options: argparse.Namespace) -> int:
    """One block of the card."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{name}.json"
    asked = [*map(str, folders), "--model", str(model), "--baselines", "--json", str(report)]
    asked += ["--cache", str(options.cache), "--ranks", str(REPORTS / f"{name}.csv")]
    if name == "all":
        asked += ["--plots", str(CARD.parent / "plots")]
    return evaluate.main(asked) or card.main([str(CARD), f"{name}={report}"])


if __name__ == "__main__":
    sys.exit(main())
