"""/versions: what answers, and how far the index is. For administrators."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router

from matcher.api import schemas
from matcher.api.access import BearerToken, answers
from matcher.api.models import Scope
from matcher.models import RUNNING, State, Upload
from tracks.models import ModelVersion
from tracks.selectors import coverage

router = Router(tags=["administration"])


@router.get(
    "",
    auth=BearerToken(Scope.ADMIN),
    url_name="versions",
    summary="Look at the model versions",
    response=answers(200, schemas.Versions, 403),
)
def list_versions(request: HttpRequest) -> schemas.Versions:
    """Needs the scope `admin`. How much of the catalogue each has heard, and how many jobs wait."""
    versions = [_version(version) for version in _all()]
    active = [version.name for version in versions if version.state == ModelVersion.State.ACTIVE]
    return schemas.Versions(
        active=active[0] if active else None,
        queued=Upload.objects.filter(state=State.QUEUED).count(),
        running=Upload.objects.filter(state__in=RUNNING).count(),
        items=versions,
    )


def _all() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.defer(*ModelVersion.BULKY)


def _version(version: ModelVersion) -> schemas.Version:
    heard = coverage(version)
    return schemas.Version(
        name=version.name,
        state=version.state,
        tracks=heard.tracks,
        indexed=heard.indexed,
        pending=heard.pending,
        failed=heard.failed,
        created_at=version.created_at,
        activated_at=version.activated_at,
    )
