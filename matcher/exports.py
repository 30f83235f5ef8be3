"""The results of an upload as files: M3U8 and XSPF for players, CSV and JSON for tables.

Titles come from strangers' files: each format is written so that none of them can break it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from matcher import wording
from matcher.answers import Row
from matcher.models import Match, Upload
from tracks.models import Track

XSPF = "http://xspf.org/ns/0/"
COLUMNS = (
    *("rank", "title", "artist", "soundtrack", "genre", "year", "licence", "source"),
    *("seconds", "score", "in words", "same recording", "where", "page", "audio"),
)
# What a spreadsheet takes for the beginning of a formula, with what it skips before one.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠]")
# XML 1.0 has no way to write these at all.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Line:
    """One of the closest tracks, with the absolute addresses of its page and of its sound."""

    row: Row
    page: str
    audio: str

    @property
    def match(self) -> Match:
        return self.row.match

    @property
    def track(self) -> Track:
        return self.row.match.track

    @property
    def words(self) -> str:
        return str(self.row.grade)


@dataclass(frozen=True)
class Results:
    """What is written: the question, the address of its page, and the closest tracks in order."""

    upload: Upload
    page: str
    lines: Sequence[Line]

    @property
    def title(self) -> str:
        return _("Sounds like %(name)s") % {"name": self.upload.original_name}


def as_m3u8(results: Results) -> str:
    """An extended playlist in UTF-8; what is not known to last so long is written as -1."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(results.title)}"]
    for line in results.lines:
        name = " - ".join(filter(None, (line.track.artist, line.track.title)))
        lines += [f"#EXTINF:{round(line.track.duration or -1)},{_one_line(name)}", line.audio]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """The text without line breaks of any kind, and without other control characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())


def as_csv(results: Results) -> str:
    """A table that spreadsheets open: with a byte order mark, and without formulas."""
    text = io.StringIO(newline="")
    text.write("\ufeff")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for line in results.lines:
        cells = _cells(line)
        table.writerow(as_text(cell) if isinstance(cell, str) else cell for cell in cells)
    return text.getvalue()


def _cells(line: Line) -> tuple[Any, ...]:
    match, track = line.match, line.track
    return (
        *(match.rank, track.title, track.artist, track.soundtrack, track.genre, track.year),
        *(track.licence, track.source, _rounded(track.duration), round(match.score, 2)),
        *(line.words, "yes" if match.same_recording else "no"),
        *("; ".join(map(_where, match.spans)), line.page, line.audio),
    )


def _where(span: dict[str, list[float]]) -> str:
    yours, theirs = wording.span_words(span["query"]), wording.span_words(span["match"])
    return _("%(yours)s of yours ~ %(theirs)s of theirs") % {"yours": yours, "theirs": theirs}


def as_text(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins so gets an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def as_json(results: Results) -> str:
    upload = results.upload
    document = {
        "query": {
            "name": upload.original_name,
            "sha256": upload.sha256 or None,
            "duration": _rounded(upload.duration),
            "page": results.page,
        },
        "model_version": str(upload.model_version),
        "answered_at": upload.finished_at.isoformat() if upload.finished_at else None,
        "matches": [_document(line) for line in results.lines],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _document(line: Line) -> dict[str, Any]:
    """The same names as `manage.py match --json` has, and more."""
    match, track = line.match, line.track
    texts = ("title", "artist", "soundtrack", "genre", "year", "licence", "source", "source_url")
    return {
        "rank": match.rank,
        **{name: getattr(track, name) for name in texts},
        "duration": _rounded(track.duration),
        "score": round(match.score, 2),
        "in_words": line.words,
        "distance": round(match.distance, 6),
        "same_recording": match.same_recording,
        "spans": match.spans,
        "reasons": match.reasons,
        "page": line.page,
        "audio": line.audio,
    }


def as_xspf(results: Results) -> str:
    """XSPF 1, https://www.xspf.org/spec; durations are in milliseconds there."""
    playlist = ET.Element("playlist", {"version": "1", "xmlns": XSPF})
    _add(playlist, "title", results.title)
    _add(playlist, "info", results.page)
    tracks = ET.SubElement(playlist, "trackList")
    for line in results.lines:
        _add_track(ET.SubElement(tracks, "track"), line)
    ET.indent(playlist, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(playlist, "unicode") + "\n"


def _add_track(element: ET.Element, line: Line) -> None:
    track, milliseconds = line.track, round(1000 * (line.track.duration or 0))
    _add(element, "location", line.audio)
    _add(element, "title", track.title)
    _add(element, "creator", track.artist)
    _add(element, "annotation", ", ".join(filter(None, (line.words, track.licence))))
    _add(element, "info", line.page)
    _add(element, "album", track.soundtrack)
    _add(element, "duration", str(milliseconds) if milliseconds else "")


def _add(parent: ET.Element, name: str, text: str) -> None:
    """A child with that text; none where there is nothing to say."""
    if text:
        ET.SubElement(parent, name).text = _NOT_IN_XML.sub("", text)


@dataclass(frozen=True)
class Format:
    """A kind of file: who it is for, what it is called on the wire, and what writes it."""

    ending: str
    name: str
    content_type: str
    write: Callable[[Results], str]


FORMATS = {
    kind.ending: kind
    for kind in (
        Format("m3u8", "M3U8", "application/vnd.apple.mpegurl; charset=utf-8", as_m3u8),
        Format("xspf", "XSPF", "application/xspf+xml; charset=utf-8", as_xspf),
        Format("csv", "CSV", "text/csv; charset=utf-8", as_csv),
        Format("json", "JSON", "application/json", as_json),
    )
}
