"""The application behind /api/: the tables of tokens, of kept answers and of rates."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "matcher.api"
    label = "api"
    verbose_name = _("API")
