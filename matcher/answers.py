"""A finished upload as its page shows it: words, and the geometry of the small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise

from matcher import wording
from matcher.feedback import verdicts_of
from matcher.models import Match, Upload
from matcher.selectors import matches_of, own_pictures
from tracks.models import ModelVersion, Track
from tracks.selectors import NO_PICTURES, Pictures, pictures_of
from tracks.waveforms import WIDE, Waveform, waveform

MOST_SPANS = 3  # the stylesheet has so many pairs of colours
AT_FIRST = 5  # rows on the page until somebody wants to see all


@dataclass(frozen=True)
class Place:
    """Where one of the matching spans lies in one of the pieces.

    All are strings, as numbers must not be localised: `x` and `width` are per cent of the piece,
    `view` is what a large picture shows there, and `at` are the seconds, such as `12.5,28.5`.
    """

    number: int
    x: str
    width: str
    view: str
    at: str
    words: str


@dataclass(frozen=True)
class Side:
    """One of two pieces that are compared: what is heard and what is seen of it.

    Attributes:
        name: of the piece.
        player: the id of its audio element.
        audio: where its sound is; "" where there is none to hear.
        strip: where the picture of its codes is; "" where there is none.
        duration: seconds, or None.
    """

    name: str
    player: str
    audio: str
    strip: str
    duration: float | None
    wave: Waveform
    places: list[Place]


@dataclass(frozen=True)
class Span:
    """One matching span: `bridge` is the path between its two places, in a box of 100 by 10."""

    number: int
    yours: Place
    theirs: Place
    bridge: str


@dataclass(frozen=True)
class Row:
    """One of the closest tracks."""

    match: Match
    grade: str | Promise
    close: bool
    calibrated: str
    reasons: list[wording.Reason]
    yours: Side
    theirs: Side
    spans: list[Span]
    verdict: str = ""  # of its owner, who may have said nothing


def rows_of(upload: Upload, link: str = "", most: int | None = None) -> list[Row]:
    """The matches of a finished upload, closest first; only the first has large pictures.

    Args:
        link: the token by which somebody else sees the upload's sound and pictures.
        most: so many of them; all by default.
    """
    matches = matches_of(upload)[:most]
    painter = _Painter(upload, pictures_of([match.track_id for match in matches]), link)
    return [painter.row(match, small=place > 0) for place, match in enumerate(matches)]


def answered_by_active(upload: Upload) -> bool:
    """Whether the version that answered this upload still answers."""
    version = upload.model_version
    return version is not None and version.state == ModelVersion.State.ACTIVE


class _Painter:
    """Makes the rows of one upload.

    Colours of codes mean the same only within one model version: an answer of another version
    than the active one has no strips.
    """

    def __init__(self, upload: Upload, pictures: Mapping[int, Pictures], link: str) -> None:
        self._upload, self._pictures, self._link = upload, pictures, link
        self._strips = answered_by_active(upload)
        self._asked, self._audio = _asked(upload, link)
        self._verdicts = verdicts_of(upload)
        own = own_pictures(upload)
        self._own_strip = _private("strip", upload, link) if self._strips and own.strip else ""
        self._waves = {small: waveform(own.peaks, small=small) for small in (False, True)}

    def row(self, match: Match, *, small: bool) -> Row:
        spans = [
            _span(number, span, self._upload.duration, match.track.duration)
            for number, span in enumerate(match.spans[:MOST_SPANS], start=1)
        ]
        return Row(
            match=match,
            grade=wording.grade(match.score, same_recording=match.same_recording, rank=match.rank),
            close=match.same_recording or match.score >= wording.CLOSE,
            calibrated=wording.calibrated(match.score),
            reasons=[wording.reason(reason) for reason in match.reasons],
            yours=self._yours(spans, small),
            theirs=self._theirs(match, spans, small),
            spans=spans,
            verdict=self._verdicts.get(match.track_id, ""),
        )

    def _yours(self, spans: list[Span], small: bool) -> Side:
        upload = self._upload
        return Side(
            name=self._asked,
            player="yours",
            audio=self._audio,
            strip=self._own_strip,
            duration=upload.duration,
            wave=self._waves[small],
            places=[span.yours for span in spans],
        )

    def _theirs(self, match: Match, spans: list[Span], small: bool) -> Side:
        track, pictures = match.track, self._pictures.get(match.track_id, NO_PICTURES)
        return Side(
            name=track.title,
            player=f"theirs-{match.rank}",
            audio=reverse("tracks:audio", args=[track.pk]),
            strip=reverse("tracks:strip", args=[track.pk])
            if self._strips and pictures.strip
            else "",
            duration=track.duration,
            wave=waveform(pictures.peaks, small=small),
            places=[span.theirs for span in spans],
        )


def _private(what: str, upload: Upload, link: str) -> str:
    """Where the sound or a picture of an upload is: for its owner, or by a link for others."""
    if link:
        return reverse(f"matcher:shared_{what}", args=[link])
    return reverse(f"matcher:{what}", args=[upload.pk])


def _asked(upload: Upload, link: str) -> tuple[str, str]:
    """The name and the address of what was asked with: "" where it can no longer be heard.

    A question without a file is about another upload of its owner, or about tracks, of which the
    first one that is left stands for all.
    """
    if upload.audio:
        return upload.original_name, _private("audio", upload, link)
    if upload.parent:
        return _asked(upload.parent, link)
    like = upload.question.get("like", [])
    left = Track.objects.shown().in_bulk(like)
    seed = next((left[pk] for pk in like if pk in left), None)
    return (seed.title, reverse("tracks:audio", args=[seed.pk])) if seed else (str(upload), "")


def _span(
    number: int,
    span: dict[str, list[float]],
    yours_lasts: float | None,
    theirs_lasts: float | None,
) -> Span:
    x, end = _stretched(span["query"], yours_lasts)
    match_x, match_end = _stretched(span["match"], theirs_lasts)
    return Span(
        number=number,
        yours=_place(number, span["query"], x, end),
        theirs=_place(number, span["match"], match_x, match_end),
        bridge=(
            f"M{x:.1f} 0C{x:.1f} 6 {match_x:.1f} 4 {match_x:.1f} 10H{match_end:.1f}"
            f"C{match_end:.1f} 4 {end:.1f} 6 {end:.1f} 0Z"
        ),
    )


def _place(number: int, span: list[float], x: float, end: float) -> Place:
    return Place(
        number=number,
        x=f"{x:.1f}",
        width=f"{end - x:.1f}",
        view=f"{x * WIDE / 100:.1f} 0 {(end - x) * WIDE / 100:.1f} 64",
        at=f"{span[0]:.1f},{span[1]:.1f}",
        words=wording.span_words(span),
    )


def _stretched(span: list[float], duration: float | None) -> tuple[float, float]:
    """Start and end in seconds as per cent of the whole piece, at least a hair apart."""
    whole = max(duration or 0.0, span[1], 0.1)
    start = 100 * span[0] / whole
    return start, max(start + 0.5, 100 * span[1] / whole)
