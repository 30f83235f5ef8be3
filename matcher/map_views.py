"""A person's own uploads on the map of the catalogue."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from matcher import map_points


@require_safe
@never_cache
def points(request: HttpRequest) -> HttpResponse:
    """Nobody's for whoever is not signed in: the map is open to everyone."""
    return JsonResponse({"uploads": map_points.points_of(request.user)})
