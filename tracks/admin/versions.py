"""The model versions."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from tracks import selectors
from tracks.admin.common import ReadOnlyAdmin
from tracks.models import ModelVersion

VERSION_COLOURS = {"ACTIVE": "success", "READY": "success", "INDEXING": "info"}


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("name", "state_label", "coverage", "created_at", "activated_at")
    list_filter = ("state",)
    search_fields = ("name", "sha256")
    fields = (
        *("name", "state", "coverage", "calibration", "embedding_dim", "location", "sha256"),
        *("manifest", "created_at", "activated_at"),
    )

    @display(description="State", ordering="state", label=VERSION_COLOURS)
    def state_label(self, version: ModelVersion) -> str:
        return version.state

    @display(description="Index")
    def coverage(self, version: ModelVersion) -> str:
        counts = selectors.coverage(version)
        return (
            f"{counts.indexed} of {counts.tracks} indexed, "
            f"{counts.pending} waiting, {counts.failed} failed"
        )

    @display(description="Calibration")
    def calibration(self, version: ModelVersion) -> str:
        if version.calibrated_at is None:
            return "Not yet"
        return f"{len(version.nearest_distances)} nearest distances, {version.calibrated_at:%c}"
