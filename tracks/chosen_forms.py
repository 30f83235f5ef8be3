"""The administrator's forms about tracks that were chosen in the list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from tracks.models import Track
from tracks.services.catalogue import digest
from tracks.widgets import LicenceInput

EDITED = ("title", "artist", "soundtrack", "genre", "year", "licence")


class EditForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """Texts for all chosen tracks; what is left empty stays as it is."""

    class Meta:
        model = Track
        fields = EDITED
        widgets = {
            **dict.fromkeys(EDITED, UnfoldAdminTextInputWidget),
            "year": UnfoldAdminIntegerFieldWidget,
            "licence": LicenceInput,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.given(cleaned):
            raise forms.ValidationError("Fill in what is to change.", code="nothing-given")
        return cleaned

    def _post_clean(self) -> None:
        """The fields were validated; there is no one instance to validate."""

    def given(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The fields that were filled in."""
        return {name: value for name, value in cleaned.items() if value not in ("", None)}

    def texts(self) -> dict[str, Any]:
        return self.given(self.cleaned_data)


class WithdrawForm(forms.Form):
    """Why tracks are taken down."""

    why = forms.CharField(
        label="Reason",
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with the trace, and told to whoever tries to import the same file again.",
    )


class RestoreForm(forms.Form):
    """The bytes of a withdrawn track."""

    audio = forms.FileField(label="Audio file", widget=UnfoldAdminFileFieldWidget)

    def __init__(self, *args: Any, track: Track, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._track = track

    def clean_audio(self) -> UploadedFile[Any]:
        audio: UploadedFile[Any] = self.cleaned_data["audio"]
        if digest(audio) != self._track.sha256:
            raise forms.ValidationError(
                "This is another file: its SHA-256 is not that of the track.", code="other-file"
            )
        return audio
