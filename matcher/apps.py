"""The application that answers what an upload sounds like."""

from __future__ import annotations

from django.apps import AppConfig


class MatcherConfig(AppConfig):
    name = "matcher"
    verbose_name = "Uploads and matches"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from matcher import feedback
        from matcher.models import Upload
        from matcher.services import delete_file, repoint_matches
        from tracks.signals import merging

        merging.connect(repoint_matches)
        merging.connect(feedback.repoint)
        post_delete.connect(delete_file, sender=Upload)
