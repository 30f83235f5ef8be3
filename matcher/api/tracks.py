"""/tracks: the catalogue, open to everyone."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Query, Router

from matcher.api import schemas, shown
from matcher.api.access import answers
from matcher.api.paging import PageNumber, paged
from matcher.api.problems import Refused
from tracks import models, selectors

router = Router(tags=["tracks"])

Words = Annotated[str, Query(max_length=300, pattern=schemas.NO_NUL)]
TrackId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def shown_track(track_id: int) -> models.Track:
    try:
        return models.Track.objects.shown().get(pk=track_id)
    except models.Track.DoesNotExist as error:
        raise Refused("not-found") from error


@router.get(
    "",
    auth=None,
    url_name="tracks",
    summary="Search the catalogue",
    response=answers(200, schemas.Tracks, 422),
)
def list_tracks(
    request: HttpRequest,
    q: Words = "",
    soundtrack: Words = "",
    artist: Words = "",
    genre: Words = "",
    licence: Words = "",
    page: PageNumber = 1,
) -> schemas.Tracks:
    """No token is needed. Without words by soundtrack and title, with words by how well they fit;
    where no track has them all, those that are spelled alike. The others are whole texts."""
    texts = {"soundtrack": soundtrack, "artist": artist, "genre": genre, "licence": licence}
    rows, told = paged(selectors.catalogue(q.strip(), **texts), page)
    return schemas.Tracks(items=[shown.track(request, row) for row in rows], **told)


@router.get(
    "/{track_id}",
    auth=None,
    url_name="track",
    summary="Look at a track",
    response=answers(200, schemas.Track, 404, 422),
)
def get_track(request: HttpRequest, track_id: TrackId) -> schemas.Track:
    """No token is needed."""
    return shown.track(request, shown_track(track_id))
