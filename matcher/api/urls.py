"""/api/: the operations, their document, and what the errors mean."""

from __future__ import annotations

from django.urls import path

from matcher.api import pages
from matcher.api.v1 import api

urlpatterns = [
    path("v1/problems", pages.problems, name="api_problems"),
    path("v1/", api.urls),
]
