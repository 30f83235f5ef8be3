"""What schemathesis makes of the OpenAPI document: requests of every kind, valid and not.

Deterministic: the same requests each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from ninja.responses import NinjaJSONEncoder
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from matcher.api.models import KeptAnswer
from matcher.api.v1 import api
from matcher.models import Match, State, Upload
from soundsite.wsgi import application
from tests.matcher.api.conftest import Caller
from tests.matcher.conftest import Upper
from tracks.models import Track

SEED = {"seed": 4}
SETTINGS = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),  # one token and one upload serve all requests
)
# What a valid request may be refused for, because no schema can say it.
RULES = {
    *("key-reused", "bad-filters", "bad-span", "short-span", "both-ways", "too-many-seeds"),
}


UPLOAD, TRACK = UUID("5d2f8a4e-0000-4000-8000-000000000001"), 4711


def _schema(**config: Any) -> Any:
    """Taken from the API itself, as no database is there yet when tests are collected."""
    document = json.loads(json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder))
    chosen = SchemathesisConfig.from_dict({**SEED, **config})
    loaded = schemathesis.openapi.from_dict(document, config=chosen)
    loaded.app = application
    return loaded


anything = _schema()
what_exists = _schema(parameters={"path.upload_id": str(UPLOAD), "path.track_id": TRACK})


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """Requests are answered in this process and see the rows of the test, which commits nothing."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def token(caller: Caller, administrator: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """One that may do everything, as often as it likes."""
    for name in ("API_REQUESTS_PER_MINUTE", "API_ANONYMOUS_REQUESTS_PER_MINUTE"):
        monkeypatch.setattr(django_settings, name, 10**6)
    return str(caller(administrator).defaults["HTTP_AUTHORIZATION"])


@pytest.fixture
def existing(upload: Upper, administrator: Any, tracks: list[Track]) -> Upload:
    """An upload with one match, and the track of that; both with the ids of this module."""
    track = Track.objects.get(pk=tracks[0].pk)
    track.pk, track.sha256 = TRACK, "f" * 64
    track.save(force_insert=True)
    row = upload(State.FINISHED, id=UPLOAD, owner=administrator)
    Match.objects.create(upload=row, rank=1, track=track, score=50, distance=0.1)
    return row


def found_in(case: Case, token: str) -> list[BaseException]:
    """What schemathesis finds in the answer to a request."""
    KeptAnswer.objects.all().delete()
    headers = {"Authorization": token}
    response = case.call(headers=headers)
    refused = response.status_code == 422 and response.json()["code"] in RULES
    excluded = [positive_data_acceptance] if refused else []
    try:
        case.validate_response(response, headers=headers, excluded_checks=excluded)
    except FailureGroup as failures:
        return list(failures.exceptions)
    return []


@anything.parametrize()
@SETTINGS
@pytest.mark.usefixtures("_one_connection")
def test_every_request_is_answered_as_the_document_says(case: Case, token: str) -> None:
    assert found_in(case, token) == []


@what_exists.parametrize()
@SETTINGS
@pytest.mark.usefixtures("_one_connection")
def test_so_is_every_request_about_what_exists(case: Case, token: str, existing: Upload) -> None:
    if not Upload.objects.filter(pk=UPLOAD).exists():
        existing.save(force_insert=True)  # an earlier request has deleted it
    assert found_in(case, token) == []
