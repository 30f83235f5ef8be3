"""The administrator's form of a track."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from tracks.media import ending_of
from tracks.models import Track
from tracks.reasons import reason
from tracks.services.catalogue import Texts, digest
from tracks.tags import read_tags, readable
from tracks.widgets import LicenceInput

TEXTS = (
    *("title", "artist", "soundtrack", "genre", "year"),
    *("licence", "subset", "source", "source_url"),
)


class TrackForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A new track by its audio file, or the texts of one that is there.

    The file is checked by its size and its first bytes; whether it can be decoded, the worker
    tells, and the track's index entry shows it.
    """

    class Meta:
        model = Track
        fields = ("audio", *TEXTS)
        widgets = {"licence": LicenceInput}
        labels = {"source_url": "Address of the source"}
        help_texts = {
            "title": "Left empty: by the file's tags, or its name.",
            "artist": "Left empty: by the file's tags.",
            "soundtrack": "Left empty: the album of the file's tags.",
            "licence": "An SPDX identifier where there is one; any other words are taken too.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "title" in self.fields:  # not where somebody may only look
            self.fields["title"].required = bool(self.instance.pk)

    def clean_audio(self) -> UploadedFile[Any]:
        audio: UploadedFile[Any] = self.cleaned_data["audio"]
        most = settings.UPLOAD_MAX_BYTES
        if audio.size is None or audio.size > most:
            raise forms.ValidationError(
                f"The file has {filesizeformat(audio.size or 0)}, at most {filesizeformat(most)} "
                "are taken here.",
                code="too-large",
            )
        if ending_of(audio) is None:
            raise forms.ValidationError(reason("not-audio"), code="not-audio")
        known = Track.objects.filter(sha256=digest(audio)).first()
        if known is not None and known.withdrawn_at:
            raise forms.ValidationError(reason("withdrawn", known.withdrawn_why), code="withdrawn")
        if known is not None:
            raise forms.ValidationError(reason("duplicate", str(known)), code="duplicate")
        return audio

    def clean(self) -> dict[str, Any]:
        """Fills the texts that were left empty from the tags of a new file."""
        cleaned = super().clean() or self.cleaned_data
        audio = cleaned.get("audio")
        if not self.instance.pk and audio:
            tags, name = read_tags(audio), audio.name.rpartition(".")[0].replace("_", " ")
            cleaned["title"] = cleaned.get("title") or tags.title or readable(name) or "Untitled"
            cleaned["artist"] = cleaned.get("artist") or tags.artist
            cleaned["soundtrack"] = cleaned.get("soundtrack") or tags.album
        return cleaned

    def texts(self) -> Texts:
        return Texts(**{name: self.cleaned_data[name] for name in TEXTS})
