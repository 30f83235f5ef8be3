"""Pairs of tracks that hold the same recording: a list, and a page for each to decide on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import path
from django.utils.formats import date_format
from django.views.decorators.http import require_POST
from unfold.decorators import display

from tracks.admin.common import PageAdmin
from tracks.models import DuplicatePair, Track
from tracks.services import duplicates
from tracks.templatetags.lengths import minutes

COLOURS = {DuplicatePair.State.PROPOSED.label: "warning", DuplicatePair.State.KEPT.label: "info"}


@admin.register(DuplicatePair)
class DuplicatePairAdmin(PageAdmin):
    page = "admin/duplicates/page.html"
    list_display = ("pair", "state_label", "match", "shared", "created_at")
    list_filter = ("state",)
    search_fields = tuple(
        f"{side}__{name}" for side in ("one", "other") for name in ("title", "artist", "soundtrack")
    )
    list_per_page = 50

    @display(description="Tracks")
    def pair(self, pair: DuplicatePair) -> str:
        return str(pair)

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, pair: DuplicatePair) -> str:
        return pair.get_state_display()

    @display(description="Match", ordering="strength")
    def match(self, pair: DuplicatePair) -> str:
        return f"{pair.strength:.0%}"

    @display(description="Longest stretch", ordering="seconds")
    def shared(self, pair: DuplicatePair) -> str:
        return minutes(pair.seconds)

    def get_urls(self) -> list[Any]:
        decide = self.admin_site.admin_view(require_POST(self.decide))
        return [
            path("<int:pk>/keep/", decide, {"kept_id": None}, name="tracks_duplicatepair_keep"),
            path("<int:pk>/merge/<int:kept_id>/", decide, name="tracks_duplicatepair_merge"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DuplicatePair]:
        return super().get_queryset(request).select_related("one", "other")

    def page_context(self, request: HttpRequest, pair: DuplicatePair) -> Mapping[str, Any]:
        """Both tracks side by side."""
        return {
            "opts": self.opts,
            "title": "The same recording?",
            "object": pair,
            "pair": pair,
            "match": self.match(pair),
            "sides": [_side(pair, pair.one, "one"), _side(pair, pair.other, "other")],
            "proposed": pair.state == DuplicatePair.State.PROPOSED,
            "may_keep": request.user.has_perm("tracks.change_duplicatepair"),
            "may_merge": self._may_merge(request),
        }

    def decide(self, request: HttpRequest, pk: int, kept_id: int | None) -> HttpResponse:
        """Keep both, or merge the two into one of them."""
        pair = get_object_or_404(self.get_queryset(request), pk=pk)
        if kept_id is None:
            decided = self._keep_both(request, pair)
        else:
            decided = self._merge(request, pair, get_object_or_404(_both(pair), pk=kept_id))
        if not decided:
            messages.warning(request, "Somebody else has decided on these two meanwhile.")
        return redirect("admin:tracks_duplicatepair_changelist")

    def _keep_both(self, request: HttpRequest, pair: DuplicatePair) -> bool:
        if not request.user.has_perm("tracks.change_duplicatepair"):
            raise PermissionDenied
        kept = duplicates.keep_both(pair)
        if kept:
            self.log_change(request, pair, "Kept both")
            messages.success(request, f"Both are kept: {pair}. They are not proposed again.")
        return kept

    def _merge(self, request: HttpRequest, pair: DuplicatePair, kept: Track) -> bool:
        """The history of the one that is kept says what became of the other."""
        if not self._may_merge(request):
            raise PermissionDenied
        gone = copy(pair.other if kept == pair.one else pair.one)
        words = f"Merged “{gone}” (number {gone.pk}, SHA-256 {gone.sha256}) into this one"
        merged = duplicates.merge(pair, kept)
        if merged:
            self.log_change(request, kept, words)
            self.log_change(request, pair, f"Merged, kept “{kept}” (number {kept.pk})")
            self.log_deletions(request, [gone])
            messages.success(request, f"Merged: “{kept}” is kept.")
        return merged

    def _may_merge(self, request: HttpRequest) -> bool:
        needed = ("tracks.change_duplicatepair", "tracks.delete_track")
        return bool(request.user.has_perms(needed))


def _both(pair: DuplicatePair) -> QuerySet[Track]:
    return Track.objects.filter(pk__in=[pair.one_id, pair.other_id])


def _side(pair: DuplicatePair, track: Track, side: str) -> dict[str, Any]:
    """One of the two as the page shows it; `differs` tells where the two do not agree."""
    other = pair.other if side == "one" else pair.one
    rows = [
        {"name": name, "value": value or "–", "differs": value != theirs}
        for (name, value), (_, theirs) in zip(_facts(track), _facts(other), strict=True)
    ]
    spans = [_span(track, *span[side]) for span in pair.spans if side in span]
    return {"track": track, "rows": rows, "spans": spans}


def _facts(track: Track) -> Iterator[tuple[str, str]]:
    yield "Title", track.title
    yield "Artist", track.artist
    yield "Soundtrack", track.soundtrack
    yield "Genre", track.genre
    yield "Year", str(track.year or "")
    yield "Licence", track.licence
    yield "Source", track.source
    yield "Length", minutes(track.duration)
    yield "Format", str(track.audio.name).rpartition(".")[2].upper()
    yield "Size", filesizeformat(track.size)
    yield "Added", date_format(track.created_at, "j M Y")


def _span(track: Track, start: float, end: float) -> dict[str, str]:
    """A stretch in words, and as per cent of the track for the picture."""
    whole = max(track.duration or 0.0, end, 0.1)
    return {
        "words": f"{minutes(start)} to {minutes(end)}",
        "left": f"{100 * start / whole:.1f}",
        "width": f"{100 * (end - start) / whole:.1f}",
    }
