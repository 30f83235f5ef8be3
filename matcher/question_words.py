"""What was asked, in words: for the headline of an answer and for the name of its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from matcher.models import Upload
from matcher.questions import Question
from matcher.wording import seconds
from tracks.filters import Filters

BETWEEN = " · "


def asked(question: Question, titles: Mapping[int, str]) -> str:
    """As a sentence, such as `Like “A” and “B” · unlike “C” · among tracks of wizznic`.

    Args:
        titles: of the tracks by id; one that is gone is called so.
    """
    return capfirst(BETWEEN.join(_parts(question, titles)))


def name(question: Question, titles: Mapping[int, str], parent: Upload | None) -> str:
    """What a list calls the question: after the upload that it is about, if there is one."""
    if parent is None:
        return asked(question, titles)
    return BETWEEN.join([parent.original_name, *_parts(question, titles)])


def _parts(question: Question, titles: Mapping[int, str]) -> list[str]:
    parts = []
    if question.like:
        parts.append(_("like %(tracks)s") % {"tracks": _quoted(question.like, titles)})
    if question.unlike:
        parts.append(_("unlike %(tracks)s") % {"tracks": _quoted(question.unlike, titles)})
    if question.span:
        start, end = map(seconds, question.span)
        parts.append(_("between %(start)s and %(end)s of yours") % {"start": start, "end": end})
    if not question.filters.empty:
        narrowed = ", ".join(_filters(question.filters))
        parts.append(_("among tracks %(narrowed)s") % {"narrowed": narrowed})
    return parts


def _quoted(tracks: Sequence[int], titles: Mapping[int, str]) -> str:
    names = [_("“%s”") % titles[pk] if pk in titles else _("a track that is gone") for pk in tracks]
    if len(names) == 1:
        return names[0]
    return _("%(some)s and %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]}


def _filters(filters: Filters) -> list[str]:
    texts = (
        (_("of %s"), filters.soundtrack),
        (_("by %s"), filters.artist),
        (_("of the genre %s"), filters.genre),
        (_("under the licence %s"), filters.licence),
    )
    tempo = _limits(_number(filters.tempo_from), _number(filters.tempo_to))
    length = _limits(_length(filters.seconds_from), _length(filters.seconds_to))
    ranges = ((_("with %s bpm"), tempo), (_("with a length of %s"), length))
    return [words % value for words, value in texts + ranges if value]


def _limits(low: str, high: str) -> str:
    if low and high:
        return _("%(low)s to %(high)s") % {"low": low, "high": high}
    if low:
        return _("at least %s") % low
    return _("at most %s") % high if high else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _length(value: float | None) -> str:
    return "" if value is None else seconds(value)
