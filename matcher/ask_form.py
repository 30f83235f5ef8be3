"""What a search can be narrowed to, as a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from matcher.models import Upload
from matcher.questions import Span, question_of
from matcher.wording import seconds
from tracks.choice_fields import LABELS, text_field
from tracks.filters import LIMITS, TEXTS, Filters

LIMIT_LABELS = {
    "tempo_from": _("Tempo from (bpm)"),
    "tempo_to": _("Tempo to (bpm)"),
    "seconds_from": _("Length from (seconds)"),
    "seconds_to": _("Length to (seconds)"),
}


def _number(label: Any) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"min": 0, "step": "any", "inputmode": "decimal"})
    return forms.FloatField(label=label, required=False, widget=widget)


class FilterForm(forms.Form):
    """The filters of a search; every field may stay empty."""

    def __init__(self, given: Any = None, *, filters: Filters | None = None) -> None:
        chosen = filters.as_json() if filters else {}
        super().__init__(given, initial=chosen)
        for name in LABELS:
            self.fields[name] = text_field(name, chosen.get(name, ""))
        for name, label in LIMIT_LABELS.items():
            self.fields[name] = _number(label)

    def filters(self) -> Filters:
        """What was asked for; the form must be valid."""
        return Filters.from_json({name: self.cleaned_data[name] for name in TEXTS + LIMITS})

    def narrowing(self) -> list[forms.BoundField]:
        """The fields of the filters."""
        return [self[name] for name in TEXTS + LIMITS]


class AskForm(FilterForm):
    """A further question about an upload: filters, and a stretch of its sound."""

    def __init__(self, upload: Upload, given: Any = None) -> None:
        question = question_of(upload)
        super().__init__(given, filters=question.filters)
        if upload.audio or upload.parent_id:
            self.fields["start"] = _number(_("From second"))
            self.fields["end"] = _number(_("To second"))
            if question.span:
                self.initial["start"], self.initial["end"] = question.span
        self.duration = upload.duration or (upload.parent and upload.parent.duration) or 0.0
        self.lasts = seconds(self.duration) if self.duration else ""

    def span(self) -> Span | None:
        """None where neither is set; one that lies nowhere is refused by `matcher.services.ask`."""
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start is None and end is None:
            return None
        return start or 0.0, self.duration if end is None else end

    def stretch(self) -> list[forms.BoundField]:
        """The fields of the stretch; none for a question that is about tracks alone."""
        return [self[name] for name in ("start", "end") if name in self.fields]
