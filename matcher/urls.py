from __future__ import annotations

app_name = "matcher"
urlpatterns: list = []
