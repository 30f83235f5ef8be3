"""The catalogue's pages."""

from __future__ import annotations

from django.urls import path

from tracks import map_views, views

app_name = "tracks"
urlpatterns = [
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/pick/", views.pick, name="pick"),
    path("catalogue/fill/", views.fill, name="fill"),
    path("catalogue/map/", map_views.page, name="map"),
    path("catalogue/map.json", map_views.points, name="points"),
    path("catalogue/<int:pk>/", views.track, name="track"),
    path("catalogue/<int:pk>/audio/", views.audio, name="audio"),
    path("catalogue/<int:pk>/strip.png", views.strip, name="strip"),
]
