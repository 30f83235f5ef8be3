"""Feedback as a table. It names no person: whoever needs that looks at the list."""

from __future__ import annotations

from import_export import fields, resources

from matcher.exports import as_text
from matcher.models import Feedback


class FeedbackResource(resources.ModelResource):
    track = fields.Field(column_name="track", attribute="track__title", readonly=True)
    soundtrack = fields.Field(attribute="track__soundtrack", column_name="soundtrack")
    track_sha256 = fields.Field(attribute="track__sha256", column_name="track_sha256")
    model_version = fields.Field(attribute="model_version__name", column_name="model_version")

    class Meta:
        model = Feedback
        fields = (
            *("query_sha256", "track_sha256", "verdict"),
            *("track", "soundtrack", "model_version", "said_at"),
        )

    def dehydrate_track(self, feedback: Feedback) -> str:
        return as_text(feedback.track.title)

    def dehydrate_soundtrack(self, feedback: Feedback) -> str:
        return as_text(feedback.track.soundtrack)
