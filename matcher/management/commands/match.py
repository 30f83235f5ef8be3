"""`manage.py match FILE`: what does this file sound like? The same answer as the site's."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from matcher import jobs
from matcher.errors import text_of
from matcher.wording import grade, reason, seconds
from ml.errors import SoundError
from tracks.models import ModelVersion
from tracks.selectors import active_version

if TYPE_CHECKING:
    from matcher.matching import Answer


class Command(BaseCommand):
    help = "Tell which tracks of the catalogue an audio file sounds like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("-k", type=_count, default=10, help="how many tracks (10)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        version = active_version()
        try:
            answer = _answer(file, version, options["k"])
        except OSError as error:
            self._refuse("unreadable-file", f"{file}: {error.strerror}.", options["json"])
        except SoundError as error:
            text = text_of(error.code)
            self._refuse(error.code, f"{text.title}. {text.sentence}", options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(as_json(file, version, answer), ensure_ascii=False))
        else:
            console = Console(file=cast(TextIO, self.stdout))
            console.print(_table(file, answer), "Why:", *_why(answer), sep="\n", markup=False)

    def _refuse(self, code: str, message: str, as_json: bool) -> NoReturn:
        """End with status 1 and the code on standard error."""
        refusal = json.dumps({"error": code, "message": message}) if as_json else None
        self.stderr.write(refusal or f"{code}: {message}")
        raise SystemExit(1)


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 50:  # the second stage ranks 50
        raise ValueError
    return count


def _answer(file: Path, version: ModelVersion | None, closest: int) -> Answer:
    from matcher.matching import match_file  # here, not above: it loads models

    return match_file(file, version, closest=closest)


def as_json(file: Path, version: ModelVersion | None, answer: Answer) -> dict[str, Any]:
    return {
        "query": {"file": file.name, "duration": round(answer.duration, 2)},
        "model_version": version.name if version else None,
        "matches": [
            {
                "rank": rank,
                "title": found.track.title,
                "artist": found.track.artist,
                "soundtrack": found.track.soundtrack,
                "score": round(found.score, 2),
                "distance": round(found.distance, 6),
                "same_recording": found.same_recording,
                "spans": jobs.spans_as_json(found),
                "reasons": list(found.reasons),
            }
            for rank, found in enumerate(answer.found, start=1)
        ],
    }


def _table(file: Path, answer: Answer) -> Table:
    table = Table(title=f"{file.name} ({seconds(answer.duration)}) sounds like")
    table.add_column("#", justify="right")
    for heading in ("Title", "Artist", "Soundtrack"):
        table.add_column(heading, overflow="fold")
    table.add_column("Score", justify="right")
    table.add_column("In words")
    for rank, found in enumerate(answer.found, start=1):
        track = found.track
        words = grade(found.score, same_recording=found.same_recording, rank=rank)
        table.add_row(
            str(rank), track.title, track.artist, track.soundtrack, f"{found.score:.0f}", str(words)
        )
    return table


def _why(answer: Answer) -> Iterator[str]:
    """The reasons of each track, below its number in the table."""
    for rank, found in enumerate(answer.found, start=1):
        told = "; ".join(str(reason(each)) for each in found.reasons)
        yield f"{rank:>3}  {told or 'alike in no single measure'}"
