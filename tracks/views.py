"""The catalogue, open to everyone: lists, one track, its audio."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tracks import selectors
from tracks.media import content_type, ranged_response
from tracks.models import Track
from tracks.pictures import picture_response

A_PAGE = 50


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:200]
    found = selectors.catalogue(query)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "query": query, "fill": selectors.demo_fill()}
    return render(request, "tracks/catalogue.html", context)


@require_safe
@never_cache
def fill(request: HttpRequest) -> HttpResponse:
    """The fill's progress; empty once it has ended, which ends the polling too."""
    return render(request, "tracks/_fill.html", {"fill": selectors.demo_fill()})


@require_safe
def track(request: HttpRequest, pk: int) -> HttpResponse:
    track = get_object_or_404(Track.objects.shown(), pk=pk)
    return render(request, "tracks/track.html", {"track": track})


@require_safe
def audio(request: HttpRequest, pk: int) -> HttpResponseBase:
    track = get_object_or_404(Track.objects.shown(), pk=pk)
    stored = str(track.audio.name)
    filename = f"{track.title}.{stored.rpartition('.')[2]}"
    return ranged_response(request, track.audio, filename, content_type(stored))


@require_safe
def strip(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The track's codes as a picture, by the version that is active."""
    return picture_response(request, selectors.strip_of(pk), cache="public, max-age=600")
