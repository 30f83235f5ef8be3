"""Fields for the texts of tracks: a list to choose from, or a line where the list would be long."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tracks.selectors import MOST_CHOICES, choices

LABELS = {
    "soundtrack": _("Soundtrack"),
    "artist": _("Artist"),
    "genre": _("Genre"),
    "licence": _("Licence"),
}


def text_field(name: str, chosen: str = "") -> forms.CharField:
    """For one text of a track.

    Args:
        name: a key of LABELS.
        chosen: offered in any case, though no track may have it any more.
    """
    found = choices(name)
    field = forms.CharField(label=LABELS[name], required=False, max_length=300)
    if len(found) <= MOST_CHOICES:
        if chosen and chosen not in found:
            found.append(chosen)
        field.widget = forms.Select(choices=[("", _("Any")), *((text, text) for text in found)])
    return field
