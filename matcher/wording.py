"""Scores, spans and times in the words that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tracks.fact_words import KEYS

# Per cent of the catalogue's own tracks whose best match is further away than the one at hand.
VERY_CLOSE = 70
CLOSE = 30

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


def span_words(span: list[float]) -> str:
    """Where a stretch of a piece lies, such as 0:12–0:31."""
    return f"{seconds(span[0])}–{seconds(span[1])}"


@dataclass(frozen=True)
class Reason:
    """Why two pieces are alike, for people.

    Attributes:
        title: the measure.
        words: what is alike in it.
        numbers: of both pieces, with their unit.
    """

    title: str
    words: str
    numbers: str

    def __str__(self) -> str:
        return f"{self.words} ({self.numbers})"


Numbers = Mapping[str, Any]

SAME = 0.03  # two measures that differ by less than this share are called the same
SAME_DECIBELS = 1.0


def reason(numbers: Numbers) -> Reason:
    """One of `Match.reasons` in words; what its numbers mean stands in `ml.reasons`."""
    return _REASONS[numbers["code"]](numbers)


def _codes(numbers: Numbers) -> Reason:
    shared = numbers["shared"]
    words = ngettext("%(shared)d code in common", "%(shared)d codes in common", shared)
    if numbers["rare"]:
        words = ngettext(
            "%(shared)d code in common, a rare one",
            "%(shared)d codes in common, %(rare)d of them rare",
            shared,
        )
    shares = _("%(yours)d %% of yours, %(theirs)d %% of theirs") % {
        "yours": round(100 * numbers["yours"]),
        "theirs": round(100 * numbers["theirs"]),
    }
    return Reason(_("Shared codes"), words % numbers, shares)


def _tempo(numbers: Numbers) -> Reason:
    ratio = numbers["theirs"] / numbers["yours"]
    if ratio > 1.5:
        words = _("Theirs has twice your tempo")
    elif ratio < 0.67:
        words = _("Theirs has half your tempo")
    else:
        words = _("The same tempo") if _same(numbers) else _("Nearly the same tempo")
    return Reason(_("Tempo"), words, _both(numbers, _("%(yours)s and %(theirs)s beats a minute")))


def _brightness(numbers: Numbers) -> Reason:
    words = _("Equally bright") if _same(numbers) else _("Nearly equally bright")
    return Reason(_("Brightness"), words, _both(numbers, _("%(yours)s and %(theirs)s Hz")))


def _loudness(numbers: Numbers) -> Reason:
    apart = abs(numbers["yours"] - numbers["theirs"])
    words = _("Equally loud") if apart < SAME_DECIBELS else _("Nearly equally loud")
    told = _("%(apart)s dB apart") % {"apart": _number(apart, 1)}
    return Reason(_("Loudness"), words, told)


def _dynamics(numbers: Numbers) -> Reason:
    near = abs(numbers["yours"] - numbers["theirs"]) < SAME_DECIBELS
    same, nearly = _("As far from quiet to loud"), _("Nearly as far from quiet to loud")
    told = _both(numbers, _("%(yours)s and %(theirs)s dB"), decimals=1)
    return Reason(_("Dynamics"), same if near else nearly, told)


def _density(numbers: Numbers) -> Reason:
    same, nearly = _("Sounds set in equally often"), _("Sounds set in nearly as often")
    told = _both(numbers, _("%(yours)s and %(theirs)s a second"), decimals=1)
    return Reason(_("Onsets"), same if _same(numbers) else nearly, told)


def _key(numbers: Numbers) -> Reason:
    yours, theirs = KEYS[numbers["yours"]], KEYS[numbers["theirs"]]
    same = numbers["yours"] == numbers["theirs"]
    words = _("The same key") if same else _("Related keys, made of the same notes")
    names = yours if same else _("%(yours)s and %(theirs)s") % {"yours": yours, "theirs": theirs}
    clear = [_number(each, 2) for each in numbers["clarity"]]
    told = _("%(keys)s; clear by %(yours)s and %(theirs)s") % {
        "keys": names,
        "yours": clear[0],
        "theirs": clear[1],
    }
    return Reason(_("Key"), words, told)


def _same(numbers: Numbers) -> bool:
    return abs(numbers["yours"] - numbers["theirs"]) < SAME * numbers["yours"]


def _number(value: float, decimals: int) -> str:
    return number_format(round(value, decimals), decimals)  # which alone would cut off


def _both(numbers: Numbers, words: str, *, decimals: int = 0) -> str:
    """Both numbers within the words that name their unit."""
    return words % {
        "yours": _number(numbers["yours"], decimals),
        "theirs": _number(numbers["theirs"], decimals),
    }


_REASONS: dict[str, Callable[[Numbers], Reason]] = {
    "codes": _codes,
    "tempo": _tempo,
    "brightness": _brightness,
    "loudness": _loudness,
    "dynamics": _dynamics,
    "density": _density,
    "key": _key,
}
