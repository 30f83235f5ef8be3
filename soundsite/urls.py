"""Every URL of the site."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from soundsite.dashboard import workers_view
from soundsite.health import healthz, readyz
from soundsite.language import choose
from soundsite.metrics import metrics

handler500 = "soundsite.outage.server_error"

# Django's own form knows neither limits nor a second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/workers/", workers_view, name="dashboard_workers"),
    path("admin/", admin.site.urls),
    path("language/", choose, name="set_language"),
    path("accounts/", include("allauth.urls")),
    path("api/", include("matcher.api.urls")),
    path("", include("matcher.urls")),
    path("", include("tracks.urls")),
]
