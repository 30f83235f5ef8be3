"""An answer shared by a link: the owner's two buttons, and the pages that anyone may read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from matcher import shares
from matcher.access import own_upload, signed_in
from matcher.models import Share, State, Upload
from matcher.views import audio_response, context_of, wants_all
from tracks.pictures import picture_response

NOT_KEPT = "private, no-store"


@signed_in
@require_POST
def share(request: HttpRequest, upload_id: UUID) -> HttpResponseBase:
    upload = own_upload(request, upload_id)
    if shares.share(upload) is None:
        messages.error(request, _("No further link could be made. Revoke one of the others first."))
    return _back(request, upload)


@signed_in
@require_POST
def revoke(request: HttpRequest, upload_id: UUID, share_id: int) -> HttpResponseBase:
    upload = own_upload(request, upload_id)
    if shares.revoke(upload, share_id):
        messages.success(request, _("The link was revoked. It shows nothing any more."))
    return _back(request, upload)


def _back(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    return redirect(f"{upload.get_absolute_url()}#shares")


Shown = Callable[[HttpRequest, Share], HttpResponseBase]


def by_link(view: Shown) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """A view of an open link. 404 for an unknown token, 410 for one that has ended.

    Neither search engines nor the sites that the page links to learn the address, and nothing of
    it stays in a cache after the link was revoked.
    """

    @require_safe
    @wraps(view)
    def shown(request: HttpRequest, token: str) -> HttpResponseBase:
        try:
            share = shares.followed(token)
        except Share.DoesNotExist as error:
            raise Http404("no such link") from error
        response = view(request, share) if share.open else _ended(request)
        response["Cache-Control"] = NOT_KEPT
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return shown


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "matcher/share_ended.html", status=410)


@by_link
def shared(request: HttpRequest, share: Share) -> HttpResponseBase:
    """The answer, to be read. One that is being made again is not there for a while."""
    if share.upload.state != State.FINISHED:
        return render(request, "matcher/share_waits.html", status=404)
    context = context_of(share.upload, share.token, every=wants_all(request)) | {"share": share}
    return render(request, "matcher/shared.html", context)


@by_link
def audio(request: HttpRequest, share: Share) -> HttpResponseBase:
    return audio_response(request, share.upload)


@by_link
def strip(request: HttpRequest, share: Share) -> HttpResponseBase:
    """The picture of the upload's codes."""
    return picture_response(request, share.upload.strip, cache=NOT_KEPT)
