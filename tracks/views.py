"""The catalogue, open to everyone: lists, one track, its audio, and picking some of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tracks import basket, selectors
from tracks.catalogue_form import CatalogueForm
from tracks.fact_words import fact_words
from tracks.first_stage import neighbours
from tracks.media import content_type, ranged_response
from tracks.models import Track
from tracks.pictures import picture_response
from tracks.waveforms import waveform

A_PAGE = 50


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    form = CatalogueForm(request.GET)
    query, texts = form.asked()
    found, exact = selectors.look_for(query, **texts)
    context = {
        "page": Paginator(found, A_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "query": query,
        "exact": exact,
        "narrowed": bool(query or any(texts.values())),
        "fill": selectors.demo_fill(),
        "basket": basket.basket_of(request.session),
    }
    return render(request, "tracks/catalogue.html", context)


@require_safe
@never_cache
def fill(request: HttpRequest) -> HttpResponse:
    """The fill's progress; empty once it has ended, which ends the polling too."""
    return render(request, "tracks/_fill.html", {"fill": selectors.demo_fill()})


@require_safe
def track(request: HttpRequest, pk: int) -> HttpResponse:
    track = get_object_or_404(Track.objects.shown(), pk=pk)
    context = {"track": track, "basket": basket.basket_of(request.session)}
    return render(request, "tracks/track.html", context | _heard(track))


def _heard(track: Track) -> dict[str, Any]:
    """What the active version knows of a track; nothing where it has not heard it."""
    version = selectors.active_version()
    if version is None:
        return {}
    entry = selectors.heard_entries(version).filter(track=track).first()
    if entry is None:
        return {}
    return {
        "entry": entry,
        "wave": waveform(entry.peaks),
        "facts": fact_words(entry.heard),
        "alike": neighbours(version, track),
    }


@require_POST
def pick(request: HttpRequest) -> HttpResponse:
    """Puts a track into the visitor's basket or takes it away, and returns to where that was.

    Fields: `like` or `unlike` with the id of a track, or `empty`; `next` for the way back.
    """
    side = next((name for name in ("like", "unlike") if name in request.POST), None)
    if side is None:
        basket.empty(request.session)
        return redirect(_way_back(request))
    track = get_object_or_404(Track.objects.shown(), pk=_number(request.POST[side]))
    if not basket.toggle(request.session, side, track.pk):
        sentence = _("Up to %d tracks can be picked at once. Take one away first.")
        messages.error(request, sentence % basket.MOST_SEEDS)
    elif request.headers.get("HX-Request"):
        context = {"track": track, "basket": basket.basket_of(request.session), "live": True}
        return render(request, "tracks/_picked.html", context)
    return redirect(f"{_way_back(request)}#track-{track.pk}")


def _number(text: str) -> int:
    if not text.isdecimal():
        raise Http404("no such track")
    return int(text)


def _way_back(request: HttpRequest) -> str:
    """The page that the form stood on, if it is one of ours."""
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if ours else reverse("tracks:catalogue")


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
