"""The search above the catalogue."""

from __future__ import annotations

from typing import Any

from django import forms

from tracks.choice_fields import text_field

NARROWING = ("soundtrack", "genre", "licence")


class CatalogueForm(forms.Form):
    """Words to look for, and the soundtrack, genre and licence that tracks must have."""

    q = forms.CharField(required=False, strip=True)

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        for name in NARROWING:
            self.fields[name] = text_field(name, given.get(name, ""))

    def asked(self) -> tuple[str, dict[str, str]]:
        """The words, cut to 200 characters, and the texts. What cannot be meant is left out."""
        self.full_clean()
        texts = {name: self.cleaned_data.get(name, "") for name in NARROWING}
        return self.cleaned_data.get("q", "")[:200], texts
