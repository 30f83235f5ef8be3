"""The list of a person's uploads: it follows what is under way, and can be emptied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseStopPolling

from matcher import selectors, services
from matcher.errors import Text, can_be_tried_again, text_of
from matcher.models import Match, State, Upload
from matcher.views import delay
from tracks.models import ModelVersion
from tracks.selectors import active_version

A_PAGE = 20
SOONEST = 1000  # milliseconds; a whole page of uploads is more to ask for than one job


@dataclass(frozen=True)
class Row:
    """One upload as the list shows it; `failure` is set for one that could not be answered."""

    upload: Upload
    closest: Match | None
    failure: Text | None
    newer: bool  # another model version answers by now
    retry: bool


@login_required
@never_cache
@require_GET
def uploads(request: HttpRequest) -> HttpResponse:
    return render(request, "matcher/uploads.html", _context(request))


@never_cache
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The list's part of its page, for polling: 204 when nothing changed, 286 at the end.

    Whoever has been signed out is told by HX-Refresh to load the whole page, which says so.
    """
    if not request.user.is_authenticated:
        return HttpResponse(status=404, headers={"HX-Refresh": "true"})
    context = _context(request)
    if request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    response = render(request, "matcher/_mine_polled.html", context)
    if not context["delay"]:
        response.status_code = HttpResponseStopPolling.status_code
    return response


def _context(request: HttpRequest) -> dict[str, Any]:
    mine = selectors.uploads_of(request.user)
    page = Paginator(mine, A_PAGE).get_page(request.GET.get("page"))
    active = active_version()
    rows = [_row(upload, active) for upload in page]
    pauses = [max(delay(row.upload), SOONEST) for row in rows if not row.upload.ended]
    # Milliseconds until the list asks again, 0 for never: nearly as often as its newest job would.
    pause = min(pauses, default=0)
    shown = {"page": page, "rows": rows, "under_way": len(pauses)}
    return shown | {"delay": pause, "version": _version(rows, pause)}


def _row(upload: Upload, active: ModelVersion | None) -> Row:
    ranked: list[Match] = upload.ranked  # type: ignore[attr-defined]  # selectors.uploads_of
    finished, failed = upload.state == State.FINISHED, upload.state == State.FAILED
    return Row(
        upload=upload,
        closest=ranked[0] if finished and ranked else None,
        failure=text_of(upload.error_code) if failed else None,
        newer=finished and active is not None and active.pk != upload.model_version_id,
        retry=failed and can_be_tried_again(upload.error_code),
    )


def _version(rows: list[Row], pause: int) -> str:
    """What the list shows changes with this word and only with it."""
    shown = "".join(f"{row.upload.pk}{row.upload.state}{row.newer}" for row in rows)
    return f"{salted_hmac('matcher.mine', shown).hexdigest()[:16]}-{pause}"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_all(request: HttpRequest) -> HttpResponse:
    """Says how much would go; deletes it when it is told to."""
    owner = cast(User, request.user)
    holding = selectors.holding_of(owner)
    if not holding.uploads:
        return redirect("matcher:uploads")
    if request.method != "POST":
        return render(request, "matcher/delete_all.html", {"holding": holding})
    number = services.delete_all(owner)
    sentence = ngettext(
        "%d upload was deleted, with its file and its answer.",
        "%d uploads were deleted, with their files and answers.",
        number,
    )
    messages.success(request, sentence % number)
    return redirect("matcher:uploads")
