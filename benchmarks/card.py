"""Write the figures of `docs/model-card.md` from the reports of `python -m ml.evaluate --json`.

    python -m benchmarks.card docs/model-card.md demo=demo.json all=all.json honest=honest.json

A block between `<!-- begin NAME -->` and `<!-- end NAME -->` is replaced by the tables of the
report of that name; the words around the blocks are written by people.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Report = Mapping[str, Any]
LIKENESS = {
    "P@1": "proxy 1",
    "MAP": "proxy 1",
    "hub skew": "proxy 1",
    "orphans": "proxy 1",
    "middle P@1": "proxy 1",
    "treated P@1": "proxy 1",
    "top-1": "proxy 3",
    "MRR": "proxy 3",
}
SHARES = {"orphans"}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 where the card has no block of a name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.card", description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("reports", nargs="+", metavar="NAME=REPORT")
    options = parser.parse_args(arguments)
    text = options.card.read_text(encoding="utf-8")
    for name, _, path in (each.partition("=") for each in options.reports):
        tables = "\n".join(written(json.loads(Path(path).read_text(encoding="utf-8"))))
        before, begin, rest = text.partition(f"<!-- begin {name} -->\n")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        if not end:
            print(f"{options.card} has no block {name}", file=sys.stderr)
            return 1
        text = f"{before}{begin}{tables}\n{end}{after}"
    options.card.write_text(text, encoding="utf-8")
    return 0


def written(report: Report) -> Iterator[str]:
    """The lines of a report's tables in Markdown."""
    yield from likeness(report)
    yield ""
    if any("proxy 2" in row for row in report["systems"].values()):
        yield from known_item(report)
        yield ""
    if report["codebooks"]:
        yield from codebooks(report)
        yield ""


def likeness(report: Report) -> Iterator[str]:
    """Proxies 1 and 3 of every system, and how far ours is ahead."""
    ahead = report["differences"]
    yield _row("system", *LIKENESS, "P@1, ours ahead by", "MAP, ours ahead by")
    yield _row(*["---"] * (len(LIKENESS) + 3))
    for name, row in report["systems"].items():
        cells = [_cell(row.get(proxy, {}), figure) for figure, proxy in LIKENESS.items()]
        behind = [_difference(ahead.get(name, {}).get(figure)) for figure in ("P@1", "MAP")]
        yield _row(name, *cells, *behind)


def known_item(report: Report) -> Iterator[str]:
    """Proxy 2: top-1 of every system that answers, and the spans of the first."""
    rows = {name: row["proxy 2"] for name, row in report["systems"].items() if "proxy 2" in row}
    first = next(iter(rows.values()))
    yield _row("top-1", *rows, "span", "span or repeat")
    yield _row(*["---"] * (len(rows) + 3))
    for disguise, ours in first.items():
        spans = [_cell(ours, figure) for figure in ("span", "span or repeat")]
        yield _row(disguise, *[_cell(row[disguise], "top-1") for row in rows.values()], *spans)


def codebooks(report: Report) -> Iterator[str]:
    """Use of the codebooks."""
    yield _row("codebook", "usage", "perplexity", "effective rank")
    yield _row(*["---"] * 4)
    for number, book in enumerate(report["codebooks"], start=1):
        figures = f"{book['perplexity']:.0f} of {book['size']}", f"{book['effective_rank']:.1f}"
        yield _row(str(number), f"{book['usage']:.1%}", *figures)
    if report["reconstruction_error"] is not None:
        yield ""
        error = report["reconstruction_error"]
        yield f"Reconstruction error: {error:.2f} of the variance of the input."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(figures: Mapping[str, Any], name: str) -> str:
    found = figures.get(name)
    value = found["value"] if isinstance(found, Mapping) else found
    if value is None:
        return ""
    return f"{value:.1%}" if name in SHARES else f"{value:.2f}"


def _difference(found: Mapping[str, float] | None) -> str:
    """With its 95 % interval; in brackets where that contains 0."""
    if found is None:
        return ""
    text = f"{found['value']:+.2f}, {found['low']:+.2f} to {found['high']:+.2f}"
    return f"({text})" if found["low"] <= 0 <= found["high"] else text


if __name__ == "__main__":
    sys.exit(main())
