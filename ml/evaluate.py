"""Measure how alike a model hears, beside the baselines, on a folder of music.

    python -m ml.evaluate FOLDER --model ARTEFACT --baselines

A track's parent folder is its soundtrack. See `ml.evaluation` for what is measured and why.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from ml import artefact, leash
from ml.errors import SoundError
from ml.evaluation import catalogue, feedback, proxies, report
from ml.evaluation.cache import Cache, default_folder
from ml.evaluation.catalogue import Track
from ml.evaluation.collect import Collection, Collector
from ml.evaluation.report import Report, Row
from ml.evaluation.systems import Extractor, Guests, System
from ml.telling import tell

NO_GUESTS = Guests()
CODES_ONLY = "codes only"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argument_parser("python -m ml.evaluate", __doc__)
    options = parser.parse_args(arguments)
    if not options.model and not options.baselines:
        parser.error("--model, --baselines or both")
    if options.leash:
        leash.hold()
    return run(options)


def run(options: argparse.Namespace, guests: Guests = NO_GUESTS) -> int:
    """The command once its options, those of `argument_parser`, are known."""
    console = Console(stderr=True)
    tracks = catalogue.find_tracks(options.folders, _artists(options.artists))
    if len({track.soundtrack for track in tracks}) < 2:
        sentence = "Nothing to compare: at least two folders with music in them are needed."
        return _refused(options, console, sentence, 2)
    try:
        found = evaluate(tracks, options, console, guests)
    except SoundError as error:
        return _refused(options, console, f"The model cannot be used: {error}", 1)
    # Standard output is the JSON lines' where those were asked for.
    tables = Console(width=options.width, stderr=options.progress == "json")
    _write(found, options, tables)
    return 0


def _refused(options: argparse.Namespace, console: Console, sentence: str, status: int) -> int:
    console.print(sentence, markup=False)
    if options.progress == "json":
        tell(error=sentence)
    return status


def evaluate(
    tracks: Sequence[Track],
    options: argparse.Namespace,
    console: Console,
    guests: Guests = NO_GUESTS,
) -> Report:
    """Hear what has to be heard, then liken: the whole measurement."""
    began = time.monotonic()
    systems = [*_systems(options.model, options.baselines, options.seed), *guests.systems]
    ears = partial(extractors, options.model, options.baselines, guests.extractors)
    with Cache(options.cache) as cache:
        found = _collect(Collector(ears, cache, options.seed), tracks, options, console)
    result = Report(_settings(options, guests), found.tracks, found.failures)
    result.under_test = systems[0].name if options.model else None
    if options.feedback is not None:
        result.feedback = feedback.pairs(options.feedback, found.tracks)
    for number, system in enumerate(systems):
        console.print(f"likening: {system.name}", markup=False)
        if options.progress == "json":
            tell(stage="likening", done=number, total=len(systems), system=system.name)
        row = _row(system, found, options.proxies, options.seed)
        if result.feedback:
            row.feedback = _feedback(row, system, found, result.feedback, options.seed)
        result.rows[system.name] = row
        if system.name == result.under_test and not _is_original(options.model):
            result.rows[CODES_ONLY] = row  # it is computed from codes alone
    if options.model and not _is_original(options.model):
        _add_codebooks(result, found, options.model)
    result.losses |= {system.name: system.losses for system in systems if system.losses}
    result.minutes = (time.monotonic() - began) / 60
    result.peak_memory_mb = _peak_memory_mb()
    return result


def extractors(
    model: Path | None, baselines: bool, guests: Sequence[Extractor] = ()
) -> list[Extractor]:
    """What listens, in this process and in those of the pool."""
    ears: list[Extractor] = []
    if model and not _is_original(model):
        from ml.evaluation.ablations import Inputs
        from ml.evaluation.ours import Encodings

        ears += [Encodings(model), Inputs(model)]
    if baselines or (model and _is_original(model)):
        from ml.evaluation.mfcc import Mfcc

        ears.append(Mfcc())
    return [*ears, *guests]


def _systems(model: Path | None, baselines: bool, seed: int) -> list[System]:
    """The rows of every table, the system under test first."""
    found: list[System] = []
    if model and _is_original(model):
        from ml.evaluation.baselines import OriginalArtefact

        found.append(OriginalArtefact(model))
    elif model:
        from ml.evaluation import ours

        found += ours.systems(model, seed)
    if baselines:
        from ml.evaluation.baselines import baselines as all_baselines

        found += all_baselines(seed)
    return found


def _collect(
    collector: Collector, tracks: Sequence[Track], options: argparse.Namespace, console: Console
) -> Collection:
    """Every view that the proxies want, with a bar that says how far it is."""
    with Progress(console=console) as progress:
        task = progress.add_task(f"listening to {len(tracks)} tracks", total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)
            if options.progress == "json":
                tell(stage="listening", done=done, total=total)

        return collector.collect(
            tracks,
            proxies.wanted_views(options.proxies),
            passages=2 in options.proxies,
            report=report,
        )


def _row(system: System, found: Collection, numbers: Sequence[int], seed: int) -> Row:
    row, measured = Row(), system.proxies & set(numbers)
    system.prepare(found.of_catalogue(system.extractor))
    if 1 in measured:
        row.same_soundtrack = proxies.same_soundtrack(system, found, seed)
    if 2 in measured:
        row.known_item = proxies.known_item(system, found, seed)
    if 3 in measured:
        row.two_halves = proxies.two_halves(system, found, seed)
    return row


def _feedback(
    row: Row, system: System, found: Collection, pairs: feedback.Pairs, seed: int
) -> proxies.Result:
    """What people said beside the distances of the first proxy, measured or not."""
    first = row.same_soundtrack
    distances = first.distances if first else proxies.left_out(system, found)
    soundtracks = np.array([track.soundtrack for track in found.tracks])
    return feedback.agreement(pairs, distances, soundtracks, seed)


def _add_codebooks(result: Report, found: Collection, model: Path) -> None:
    from ml.evaluation import codebook, ours

    encodings = found.of_catalogue(ours.Encodings.name)
    soundtracks = [track.soundtrack for track in found.tracks]
    result.codebooks = codebook.codebooks(encodings, soundtracks, ours.code_vectors(model))
    result.reconstruction_error = codebook.reconstruction_error(encodings)


def _write(found: Report, options: argparse.Namespace, console: Console) -> None:
    report.show(found, console, options.seed)
    if options.json:
        options.json.write_text(report.as_json(found, options.seed) + "\n", encoding="utf-8")
    neighbours = next(iter(found.rows.values())).same_soundtrack
    if options.ranks and neighbours:
        report.write_ranks(neighbours, found.tracks, options.ranks)
    if options.plots:
        from ml.evaluation import plots

        for path in plots.draw(found, options.plots):
            console.print(f"wrote {path}", markup=False)


def _settings(options: argparse.Namespace, guests: Guests) -> dict[str, object]:
    """What decides the figures, without the paths of this machine."""
    settings: dict[str, object] = {
        "folders": [folder.name for folder in options.folders],
        "proxies": options.proxies,
        "seed": options.seed,
    }
    if options.model:
        settings["model"] = artefact.read_manifest(options.model)["name"]
        settings["model_sha256"] = artefact.digest(options.model)
    if guests.extractors:
        settings["guests"] = {ears.name: ears.fingerprint for ears in guests.extractors}
    return settings


def _peak_memory_mb() -> float:
    """Of the largest process: this one or one of the pool."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def _is_original(model: Path) -> bool:
    return artefact.read_manifest(model).get("config") == "original"


def _artists(table: Path | None) -> dict[str, str]:
    return catalogue.read_artists(table) if table else {}


def argument_parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """The options of a command that measures."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="trees of music")
    parser.add_argument("--model", type=Path, help="artefact folder of the model under test")
    parser.add_argument("--baselines", action="store_true", help="measure the baselines too")
    parser.add_argument("--proxies", type=_proxies, default=[1, 2, 3], help="such as 1,3")
    parser.add_argument("--json", type=Path, help="write everything as JSON")
    parser.add_argument("--ranks", type=Path, help="write the first 50 answers to every track")
    parser.add_argument("--plots", type=Path, help="folder for plots (needs matplotlib)")
    parser.add_argument("--artists", type=Path, help="CSV with columns md5 and artist")
    parser.add_argument("--feedback", type=_verdicts, help="CSV of `manage.py export_feedback`")
    parser.add_argument("--cache", type=Path, default=default_folder(), help="what was heard")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--progress", choices=("text", "json"), default="text")
    parser.add_argument("--leash", action="store_true", help="end when standard input ends")
    parser.add_argument("--width", type=int, help="of the tables, in characters")
    return parser


def _verdicts(path: str) -> list[feedback.Verdict]:
    try:
        return feedback.read_verdicts(Path(path))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _proxies(text: str) -> list[int]:
    numbers = sorted({int(part) for part in text.split(",")})
    if not set(numbers) <= {1, 2, 3}:
        raise ValueError(text)
    return numbers


if __name__ == "__main__":
    raise SystemExit(main())
