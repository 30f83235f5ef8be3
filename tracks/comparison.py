"""A version beside the active one: the difference in figures and in words."""

from __future__ import annotations

from typing import Any

from tracks.models import ModelVersion

COLUMNS = ("P@1", "P@5", "MAP", "hub skew", "orphans")


def difference_in_words(version: ModelVersion, other: ModelVersion | None) -> str:
    """One sentence about the first answers to the tracks that both were measured on."""
    if version.evaluation is None or other is None or other.pk == version.pk:
        return ""
    if other.evaluation is None:
        return f"{other} has not been evaluated, so that there is nothing to compare with."
    ours, theirs = version.evaluation["hits"], other.evaluation["hits"]
    pairs = [
        (soundtrack, hit, theirs[sha256][1])
        for sha256, (soundtrack, hit) in sorted(ours.items())
        if sha256 in theirs and None not in (hit, theirs[sha256][1])
    ]
    if len({soundtrack for soundtrack, _, _ in pairs}) < 2:
        return f"Too few tracks were measured for both this version and {other}."
    return _sentence(pairs, str(other))


def _sentence(pairs: list[tuple[str, float, float]], other: str) -> str:
    import numpy as np

    from ml.evaluation import bootstrap  # brings SciPy: not for every page

    groups, ours, theirs = (np.array(column) for column in zip(*pairs, strict=True))
    found = bootstrap.difference(ours, theirs, groups, seed=0)
    told = "not told apart" if found.contains_zero else "told apart"
    return (
        f"Finds the same soundtrack first for {100 * ours.mean():.0f} % instead of "
        f"{100 * theirs.mean():.0f} % ({other}); 95 % interval of the difference "
        f"{100 * found.low:+.0f} to {100 * found.high:+.0f}, {told}, over {len(pairs)} tracks."
    )


def table(version: ModelVersion, other: ModelVersion | None) -> list[tuple[str, list[str]]]:
    """Rows of figures: this version, the active one, then the ablations and baselines."""
    systems = dict((version.evaluation or {}).get("systems", {}))
    rows = list(systems.items())
    if other is not None and other.pk != version.pk and other.evaluation:
        active = next(iter(other.evaluation["systems"].values()))
        rows.insert(1, (f"{other} (active)", active))
    return [(name, _cells(row)) for name, row in rows]


def _cells(row: dict[str, Any]) -> list[str]:
    figures = row.get("proxy 1", {})
    halves = row.get("proxy 3", {}).get("top-1")
    return [_cell(figures.get(name)) for name in COLUMNS] + [_cell(halves)]


def _cell(figure: Any) -> str:
    value = figure["value"] if isinstance(figure, dict) else figure
    return "-" if value is None else f"{value:.3f}"
