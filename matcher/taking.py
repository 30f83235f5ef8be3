"""The upload page: one form with one file, sent by the browser itself or by our script."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from matcher import services
from matcher.errors import STORAGE_SECONDS, UploadError, text_of
from matcher.limits import limits

# What a browser offers first in its file picker. The content decides in the end.
ACCEPT = "audio/*,.mp3,.ogg,.oga,.opus,.flac,.wav,.m4a,.aac,.aif,.aiff,.aifc,.webm"
_ENVELOPE = 64 * 1024  # of the multipart form around the file
_BLOCK = 64 * 1024
_STATUS = {"too-large": 413, "storage-full": 503}  # the others are 400


@csrf_exempt  # the inner view checks it, once the length is known: the check reads the whole body
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form, and what it sends. A body that is longer than any allowed file is never parsed."""
    if is_too_long(request):
        read_and_forget(request)
        return _refused(request, "too-large")
    return _new(request)


@csrf_protect
def _new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    file = request.FILES.get("audio")
    if file is None:
        return _refused(request, "missing")
    try:
        upload = services.create_upload(cast(User, request.user), file)
    except UploadError as error:
        return _refused(request, error.code)
    if _by_script(request):
        return JsonResponse({"url": upload.get_absolute_url()}, status=201)
    return redirect(upload)


def is_too_long(request: HttpRequest) -> bool:
    """Whether the body, as long as the server lets us read it, exceeds any allowed file's form."""
    said = request.META.get("CONTENT_LENGTH") or ""
    return said.isdecimal() and int(said) > settings.UPLOAD_MAX_BYTES + _ENVELOPE


def _by_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def _page(request: HttpRequest, code: str = "", status: int = 200) -> HttpResponse:
    context = {"accept": ACCEPT, "code": code, "text": text_of(code) if code else None}
    return render(request, "matcher/new.html", context | limits(), status=status)


def _refused(request: HttpRequest, code: str) -> HttpResponse:
    status = _STATUS.get(code, 400)
    if not _by_script(request):
        response = _page(request, code, status)
    else:
        text = text_of(code)
        message = f"{text.title}. {text.sentence} {text.advice}"
        response = JsonResponse({"error": code, "message": message}, status=status)
    if code == "storage-full":
        response["Retry-After"] = str(STORAGE_SECONDS)
    return response


def read_and_forget(request: HttpRequest) -> None:
    """Read what a client sends, up to twice what is allowed: one that is cut off while it still
    sends shows a lost connection and not our answer."""
    for _ in range(2 * settings.UPLOAD_MAX_BYTES // _BLOCK):
        if not request.read(_BLOCK):
            return
