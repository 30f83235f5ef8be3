"""A question without a file of its own: what may be asked, and how it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from matcher.errors import UploadError
from matcher.models import Upload
from tracks.basket import MOST_SEEDS
from tracks.filters import NO_FILTERS, Filters

Span = tuple[float, float]


@dataclass(frozen=True)
class Question:
    """What is asked, beside the upload that it may be about.

    Attributes:
        span: start and end of a stretch of that upload, in seconds.
        like, unlike: ids of tracks.
    """

    filters: Filters = NO_FILTERS
    span: Span | None = None
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Question:
        """The inverse of `as_json`."""
        span = stored.get("span")
        return cls(
            filters=Filters.from_json(stored.get("filters", {})),
            span=(span[0], span[1]) if span else None,
            like=tuple(stored.get("like", ())),
            unlike=tuple(stored.get("unlike", ())),
        )

    def as_json(self) -> dict[str, Any]:
        """As `matcher.models.Upload.question` keeps it: only what is asked."""
        whole = {
            "filters": self.filters.as_json(),
            "span": list(self.span or ()),
            "like": list(self.like),
            "unlike": list(self.unlike),
        }
        return {name: value for name, value in whole.items() if value}

    @property
    def seeds(self) -> tuple[int, ...]:
        """Ids of all tracks it names, none of which is an answer."""
        return self.like + self.unlike


def question_of(upload: Upload) -> Question:
    """The question that a row keeps; an upload with a file asks nothing further."""
    return Question.from_json(upload.question)


def check(question: Question, parent: Upload | None) -> None:
    """Raises UploadError where it makes no sense: see its codes in `matcher.errors`."""
    if parent is None and not question.like:
        raise UploadError("nothing-asked", "neither an upload nor a track to be like")
    if parent is not None and not parent.ended:
        raise UploadError("not-ended", f"{parent.pk} is {parent.state}")
    if len(question.seeds) > MOST_SEEDS:
        raise UploadError("too-many-seeds", f"{len(question.seeds)} tracks")
    if both := set(question.like) & set(question.unlike):
        raise UploadError("both-ways", f"tracks {sorted(both)}")
    if not question.filters.possible:
        raise UploadError("bad-filters", str(question.filters.as_json()))
    if question.span is not None:
        check_span(question.span, parent.duration if parent else 0.0)


def check_span(span: Span, duration: float | None) -> None:
    """Raises UploadError, `bad-span` or `short-span`.

    Args:
        duration: of the piece in seconds; None where nobody knows it yet.
    """
    start, end = span
    longest = math.inf if duration is None else duration
    if not (0 <= start < end < math.inf and start < longest):
        raise UploadError("bad-span", f"{start} to {end} of {duration} seconds")
    if min(end, longest) - start < settings.UPLOAD_MIN_SECONDS:
        raise UploadError("short-span", f"{start} to {end} of {duration} seconds")


def within(span: Span, duration: float | None) -> Span:
    """The span without what lies beyond the end of the piece."""
    return span if duration is None else (span[0], min(span[1], duration))
