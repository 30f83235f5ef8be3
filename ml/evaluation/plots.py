"""Plots of a report as SVG. matplotlib is a development dependency and is imported here only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ml.evaluation.bootstrap import Estimate
from ml.evaluation.codebook import Codebook
from ml.evaluation.proxies import Neighbours, Result
from ml.evaluation.report import Report

matplotlib.rcParams["svg.hashsalt"] = "soundsite"  # the same figures, the same file


def draw(report: Report, folder: Path) -> list[Path]:
    """Every plot that the report has figures for.

    Returns:
        The files that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name, ours = next(iter(report.rows.items()))
    figures: dict[str, Figure] = {}
    if report.losses:
        figures["training"] = training(report.losses)
    if report.codebooks:
        figures["codebook"] = codebook_usage(report.codebooks)
    if ours.same_soundtrack:
        figures["soundtracks"] = precision_by_soundtrack(name, ours.same_soundtrack)
        figures["confusion"] = confusion(name, ours.same_soundtrack)
        others = {n: row for n, row in report.rows.items() if row is not ours}  # not twice
        neighbours = {n: row.same_soundtrack for n, row in {name: ours, **others}.items()}
        figures["hubness"] = hubness({n: found for n, found in neighbours.items() if found})
    if ours.known_item:
        figures["disguises"] = recall_by_disguise(name, ours.known_item)
    return [_save(figure, folder / f"{stem}.svg") for stem, figure in figures.items()]


def training(losses: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Losses by epoch, a panel a system, on a logarithmic scale."""
    figure = Figure(figsize=(5 * len(losses), 4), layout="constrained")
    for axes, (system, curves) in zip(_panels(figure, len(losses)), losses.items(), strict=True):
        for name, values in curves.items():
            axes.plot(np.arange(1, len(values) + 1), values, label=name)
        axes.set(title=system, xlabel="epoch", ylabel="loss", yscale="log")
        axes.legend()
    return figure


def codebook_usage(codebooks: Sequence[Codebook]) -> Figure:
    """How often each code is used, the most used first, a line a codebook."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for number, book in enumerate(codebooks, start=1):
        shares = np.sort(book.counts)[::-1] / book.counts.sum()
        label = f"{number}: {book.usage:.0%} used, perplexity {book.perplexity:.0f}"
        axes.plot(np.arange(1, book.size + 1), shares, label=label)
    axes.set(xlabel="code, by use", ylabel="share of all codes", yscale="log")
    axes.legend(title="codebook", fontsize="x-small", ncols=2)
    return figure


def precision_by_soundtrack(system: str, found: Neighbours) -> Figure:
    """P@1 of each soundtrack."""
    return _bars(found.by_soundtrack(), f"P@1 by soundtrack: {system}")


def recall_by_disguise(system: str, found: Mapping[str, Result]) -> Figure:
    """Top-1 under each disguise."""
    shares = {name: _value(result.figures["top-1"]) for name, result in found.items()}
    return _bars(shares, f"Top-1 by disguise: {system}")


def confusion(system: str, found: Neighbours) -> Figure:
    """Which soundtrack answers which."""
    names, shares = found.confusion()
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0.0, vmax=1.0, cmap="magma")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(title=f"First answers: {system}", xlabel="answered with", ylabel="asked from")
    figure.colorbar(image, label="share of the soundtrack's tracks")
    return figure


def hubness(found: Mapping[str, Neighbours]) -> Figure:
    """How often tracks stand in others' top 10: the tail of a fair catalogue is short."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for system, neighbours in found.items():
        occurrences = neighbours.occurrence()
        tracks = [int(np.sum(occurrences >= times)) for times in range(occurrences.max() + 1)]
        axes.step(range(len(tracks)), tracks, where="post", label=system)
    axes.set(xlabel="times in the top 10 of others, at least", ylabel="tracks", yscale="log")
    axes.legend(fontsize="small")
    return figure


def _bars(shares: Mapping[str, float], title: str) -> Figure:
    figure = Figure(figsize=(6, 1 + 0.28 * len(shares)), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(shares), list(shares.values()))
    axes.invert_yaxis()
    axes.set(title=title, xlim=(0.0, 1.0))
    return figure


def _panels(figure: Figure, count: int) -> list[Axes]:
    return list(figure.subplots(1, count, squeeze=False)[0])


def _value(figure: Any) -> float:
    return figure.value if isinstance(figure, Estimate) else float(figure)


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    return path
