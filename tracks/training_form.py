"""The form of "Train a new version", whose rules the command keeps too."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ml import overrides
from tracks.models import Job, ModelVersion, Track
from tracks.selectors import training_tracks

CONFIGS = [("soundsite", "Ours: VQ-VAE"), ("original", "The original system, evaluation only")]
FILTERS = ("soundtrack", "genre", "subset")
EPOCHS = 1000


def _choice(name: str) -> Any:
    return forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget, label=name.title())


def _number(label: str, initial: int, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        initial=initial,
        min_value=least,
        max_value=most,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class TrainingForm(forms.Form):
    """What is to be trained, on what, and for how long."""

    name = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"invalid": "Use letters, digits, dots, hyphens and underscores only."},
    )
    config = forms.ChoiceField(choices=CONFIGS, widget=UnfoldAdminSelectWidget)
    overrides = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text='JSON such as {"codebooks": 8, "loss_weights": {"contrastive": 0.1}}',
    )
    soundtrack, genre, subset = map(_choice, FILTERS)
    epochs = _number("Epochs", 30, 1, EPOCHS)
    seed = _number("Seed", 1, 0, 2**31 - 1)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in FILTERS:
            values = Track.objects.shown().exclude(**{name: ""}).order_by(name)
            found = values.values_list(name, flat=True).distinct()
            field: Any = self.fields[name]
            field.choices = [("", "All"), *((value, value) for value in found)]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        awaited = Job.objects.filter(kind=Job.Kind.TRAIN, options__name=name)
        if ModelVersion.objects.filter(name=name).exists():
            raise forms.ValidationError("There is a model version of that name already.")
        if awaited.exclude(state__in=Job.ENDED).exists():
            raise forms.ValidationError("A version of that name is being trained.")
        return name

    def clean_overrides(self) -> dict[str, Any]:
        try:
            return overrides.parse(self.cleaned_data["overrides"] or "{}")
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("config") == "original" and found.get("overrides"):
            self.add_error("overrides", "The original system has no settings to override.")
        if not training_tracks(found).exists():
            raise forms.ValidationError("No track of the catalogue is left by these filters.")
        return found

    def options(self) -> dict[str, Any]:
        """For `services.versions.ask_for_training`."""
        found = dict(self.cleaned_data)
        return {**found, "data": {name: found.pop(name) for name in FILTERS if found.get(name)}}
