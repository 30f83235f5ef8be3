"""Pages about a person's own uploads. Whoever asks for somebody else's gets a 404."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)
from django_htmx.http import HttpResponseStopPolling

from matcher import answers, question_pages, selectors, services, waits
from matcher.access import own_upload as _own
from matcher.errors import can_be_tried_again, text_of
from matcher.limits import limits
from matcher.models import State, Upload
from matcher.notices import address_of
from matcher.refusals import told_of_load
from matcher.retention import kept_until
from matcher.selectors import upload_of
from matcher.shares import open_shares
from matcher.waits import Place
from tracks.media import CONTENT_TYPES, ending_of, ranged_response
from tracks.pictures import picture_response
from tracks.selectors import active_version, coverage

# Until which age, in seconds, how long a page waits before it asks again, in milliseconds.
PAUSES = ((3, 100), (15, 1_000), (60, 2_000), (300, 5_000), (float("inf"), 10_000))
FAR_BACK = 30  # jobs before it
STAGES = (State.QUEUED, State.DECODING, State.EXTRACTING, State.ENCODING, State.SEARCHING)


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    version = active_version()
    indexed = coverage(version).indexed if version else 0
    return render(request, "matcher/landing.html", {"indexed": indexed, **limits()})


@login_required
@never_cache
@require_GET
def upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    context = context_of(_own(request, upload_id), every=wants_all(request))
    return render(request, "matcher/upload.html", context)


def wants_all(request: HttpRequest) -> bool:
    """Whether all matches are to be shown, not only the first."""
    return "all" in request.GET


def context_of(upload: Upload, link: str = "", *, every: bool = False) -> dict[str, Any]:
    """What the page of an upload shows to its owner, or to somebody who follows that link."""
    place = waits.place_of(upload)
    context: dict[str, Any] = {"upload": upload, "version": shown_version(upload, place)}
    if upload.ended:
        context |= question_pages.context_of(upload) | {"kept_until": kept_until(upload)}
    if upload.state == State.FINISHED:
        rows = answers.rows_of(upload, link, None if every else answers.AT_FIRST)
        first, rest = rows[1 : answers.AT_FIRST], rows[answers.AT_FIRST :]
        context |= {"closest": rows[0] if rows else None, "others": first, "rest": rest}
        counts = selectors.counts_of(upload)
        context |= {"left": counts["shown"] - len(rows), "withdrawn": counts["withdrawn"]}
        context |= {"newer": not answers.answered_by_active(upload) and active_version()}
        context |= {"shares": open_shares(upload)}
    elif upload.state == State.FAILED:
        text, again = text_of(upload.error_code), can_be_tried_again(upload.error_code)
        context |= {"text": text, "can_be_tried_again": again}
    else:
        context |= {"stages": _stages(upload), "delay": delay(upload, place), "place": place}
        context |= {"told": hasattr(upload, "notice"), "tell_address": address_of(upload.owner)}
    return context


def _stages(upload: Upload) -> list[tuple[str, str]]:
    """The stages of a job as (label, "done", "now" or "later")."""
    current = STAGES.index(State(upload.state))
    return [
        (str(stage.label), "done" if place < current else "now" if place == current else "later")
        for place, stage in enumerate(STAGES)
    ]


def delay(upload: Upload, place: Place | None = None) -> int:
    """Milliseconds until the page asks again: at once where an answer is due within a second, every
    ten seconds in the end, and from the start when nothing can happen soon."""
    before = 0 if place is None else place.before
    if before >= FAR_BACK:
        return PAUSES[-1][1]
    age = (timezone.now() - upload.queued_at).total_seconds()
    return next(pause for until, pause in PAUSES[before > 0 :] if age < until)


def shown_version(upload: Upload, place: Place | None) -> str:
    """What the page shows changes with this word and only with it."""
    if upload.ended:
        return upload.state
    word = f"{upload.state}-{delay(upload, place)}"
    return word if place is None else f"{word}-{place.roughly}-{place.minutes}"


@never_cache
@require_GET
def status(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """The job's part of its page, for polling: 204 when nothing changed, 286 at the end.

    Most polls find nothing changed, so one query tells that. Whoever has been signed out,
    or has deleted the upload elsewhere, is told by HX-Refresh to load the whole page, which says
    so and asks no more.
    """
    try:
        if request.GET.get("seen") == shown_version(*waits.follow(request.user, upload_id)):
            return HttpResponse(status=204)
        upload = upload_of(request.user, upload_id)
    except Upload.DoesNotExist:
        return HttpResponse(status=404, headers={"HX-Refresh": "true"})
    response = render(request, "matcher/_polled.html", context_of(upload))
    if upload.ended:
        response.status_code = HttpResponseStopPolling.status_code
    return response


@login_required
@require_GET
def audio(request: HttpRequest, upload_id: UUID) -> HttpResponseBase:
    return audio_response(request, _own(request, upload_id))


def audio_response(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    """The sound that an upload is about: its own file, or that of the upload it asks about."""
    while not upload.audio and upload.parent:
        upload = upload.parent
    if not upload.audio:
        raise Http404("it has no sound of its own")
    try:
        with upload.audio.open("rb") as file:
            kind = CONTENT_TYPES.get(ending_of(file) or "", "application/octet-stream")
    except FileNotFoundError as error:
        raise Http404("the file is gone") from error
    return ranged_response(request, upload.audio, upload.original_name, kind)


@login_required
@require_safe
def strip(request: HttpRequest, upload_id: UUID) -> HttpResponseBase:
    return picture_response(request, _own(request, upload_id).strip, cache="private, no-cache")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    upload = _own(request, upload_id)
    if request.method != "POST":
        context = {"upload": upload, "questions": upload.asked_again.count()}
        return render(request, "matcher/delete.html", context)
    services.delete_upload(upload)
    messages.success(request, _("“%s” was deleted, with its file and its answer.") % upload)
    return redirect("matcher:uploads")


@login_required
@require_POST
@told_of_load
def again(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    upload = _own(request, upload_id)
    services.try_again(upload)
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, None) else upload)
