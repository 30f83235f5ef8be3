"""Scores, spans and times in the words that people read."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Per cent of the catalogue's own tracks whose best match is further away than the one at hand.
VERY_CLOSE = 70
CLOSE = 25

SAME_RECORDING = gettext_lazy("same recording")
GRADES: tuple[tuple[float, str | Promise], ...] = (
    (VERY_CLOSE, gettext_lazy("very close")),
    (CLOSE, gettext_lazy("close")),
)
BEST_BUT_NOT_CLOSE = gettext_lazy("the best we have, but not close")
NOT_CLOSE = gettext_lazy("not close")


def grade(score: float, *, same_recording: bool, rank: int = 1) -> str | Promise:
    """A score of 0 to 100 in words; only what is ranked first can be the best we have."""
    if same_recording:
        return SAME_RECORDING
    for least, words in GRADES:
        if score >= least:
            return words
    return BEST_BUT_NOT_CLOSE if rank == 1 else NOT_CLOSE


def calibrated(score: float) -> str:
    """The score as a sentence that says what it was measured against."""
    if score >= 99.5:
        return _("Closer than the best match of practically all of our own tracks")
    if score < 0.5:
        return _("Further away than the best match of practically all of our own tracks")
    return _("Closer than the best match of %(share)d %% of our own tracks") % {
        "share": round(score)
    }


def seconds(duration: float) -> str:
    """A length of time as minutes and seconds, such as 2:37."""
    whole = round(duration)
    return f"{whole // 60}:{whole % 60:02}"


def span_words(span: dict[str, list[float]]) -> str:
    """Where two pieces match, such as `12–31 s of yours ~ 98–117 s of theirs`."""
    (start, end), (their_start, their_end) = span["query"], span["match"]
    return _("%(a)d–%(b)d s of yours ~ %(c)d–%(d)d s of theirs") % {
        "a": start,
        "b": end,
        "c": their_start,
        "d": their_end,
    }
