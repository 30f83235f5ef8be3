"""Every URL of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from soundsite.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("matcher.urls")),
    path("", include("tracks.urls")),
]
