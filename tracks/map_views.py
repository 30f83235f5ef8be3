"""The map of the catalogue, open to everyone: its page and what its script draws."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from tracks import map_points

A_PAGE = 50


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    tracks = Paginator(map_points.listed(), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": tracks,
        "rows": map_points.with_neighbours(list(tracks)),
        "groups": map_points.groups(),
        "yours": map_points.YOURS,
    }
    return render(request, "tracks/map.html", context)


@require_safe
@gzip_page
@cache_control(public=True, no_cache=True)
@conditional_page
def points(request: HttpRequest) -> HttpResponse:
    """All points, kept by the browser until its ETag no longer holds."""
    return JsonResponse(map_points.points(), json_dumps_params={"separators": (",", ":")})
