"""The results of an upload, to be taken away as a file."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from matcher.access import own_upload
from matcher.answers import Row, rows_of
from matcher.exports import FORMATS, Line, Results
from matcher.models import State, Upload


@login_required
@never_cache
@require_safe
def export(request: HttpRequest, upload_id: UUID, ending: str) -> HttpResponse:
    """Not found for an unknown kind of file, and for an upload that has no answer."""
    upload, kind = own_upload(request, upload_id), FORMATS.get(ending)
    if kind is None or upload.state != State.FINISHED:
        raise Http404("there is no such file")
    response = HttpResponse(kind.write(results_of(request, upload)), content_type=kind.content_type)
    name = f"{PurePath(upload.original_name).stem} sounds like.{kind.ending}"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def results_of(request: HttpRequest, upload: Upload) -> Results:
    """A finished upload's results, with the addresses under which the site was asked."""
    page = request.build_absolute_uri(upload.get_absolute_url())
    return Results(upload, page, [_line(request, row) for row in rows_of(upload)])


def _line(request: HttpRequest, row: Row) -> Line:
    track = row.match.track
    page = request.build_absolute_uri(track.get_absolute_url())
    return Line(row, page, request.build_absolute_uri(reverse("tracks:audio", args=[track.pk])))
