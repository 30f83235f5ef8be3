"""The application that answers what an upload sounds like."""

from __future__ import annotations

from django.apps import AppConfig


class MatcherConfig(AppConfig):
    name = "matcher"
    verbose_name = "Uploads and matches"

    def ready(self) -> None:
        from matcher.services import repoint_matches
        from tracks.signals import merging

        merging.connect(repoint_matches)
