"""Every URL and every operation, asked for by everybody: let in or not, as `permissions` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLResolver, get_resolver, resolve
from django.utils import timezone

from matcher.answer_models import Feedback, Share
from matcher.api import tokens
from matcher.api.models import Scope, Token
from matcher.api.v1 import api
from matcher.models import Match, Upload
from tests.matcher import permissions
from tests.matcher.api.conftest import with_secret
from tracks.models import DuplicatePair, IndexEntry, Job, ModelVersion, Track
from tracks.services import withdrawal

Values = dict[str, object]


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        path: with {names} of what a test makes.
        expected: by who asks.
    """

    method: str
    path: str
    expected: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def rows(table: str) -> list[Row]:
    head, *lines = (line.split() for line in table.strip().splitlines())
    return [
        Row(method, path, dict(zip(head[2:], words, strict=True))) for method, path, *words in lines
    ]


PAGES, LINKS = rows(permissions.PAGES), rows(permissions.LINKS)
OPERATIONS, ADMINISTRATION = rows(permissions.OPERATIONS), rows(permissions.ADMINISTRATION)


# --- what there is to ask for, and who asks --------------------------------------------------


@pytest.fixture
def values(answered: Upload, tracks: list[Track], version: ModelVersion, owner: Any) -> Values:
    """A row of everything, by its name in the tables."""
    Upload.objects.filter(pk=answered.pk).update(strip=b"\x89PNG")
    IndexEntry.objects.update(strip=b"\x89PNG")
    withdrawal.withdraw(tracks[2], "rights")
    match = Match.objects.get(upload=answered, rank=1)
    said = {"upload": answered, "track": tracks[0], "model_version": version, "verdict": "GOOD"}
    pair = DuplicatePair.objects.create(
        one=tracks[0], other=tracks[1], strength=0.9, seconds=9, spans=[]
    )
    made: dict[str, Any] = {
        "share": Share.objects.create(upload=answered),
        "api_token": tokens.make(owner, "nightly", [Scope.READ])[0],
        "match": match,
        "feedback": Feedback.objects.create(user=owner, **said),
        "pair": pair,
        "job": Job.objects.create(kind=Job.Kind.IMPORT, title="An import"),
        "entry": IndexEntry.objects.get(track=tracks[0]),
        "factor": Authenticator.objects.create(user=owner, type="totp", data={"secret": "x"}),
        **{"upload": answered, "track": tracks[0], "withdrawn": tracks[2], "version": version},
        "person": owner,
    }
    return {name: row.pk for name, row in made.items()}


def member(name: str, *permissions: Permission, **rights: bool) -> User:
    person = User.objects.create_user(name, f"{name}@example.org", "a-long-phrase-9", **rights)
    person.user_permissions.add(*permissions)
    return person


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def askers(owner: Any, stranger: Any, administrator: Any) -> dict[str, Client]:
    seeing = Permission.objects.filter(codename__startswith="view_")
    people = {
        "owner": owner,
        "other": stranger,
        "staff": member("sam", is_staff=True),
        "viewer": member("vera", *seeing, is_staff=True),
        "superuser": administrator,
    }
    return {"anonymous": Client()} | {name: signed_in(one) for name, one in people.items()}


def outcomes(row: Row, askers: dict[str, Client], path: str) -> dict[str, str]:
    """What each is answered; nothing that one does is there for the next."""
    said = {}
    for name in row.expected:
        with transaction.atomic():
            response = askers[name].generic(row.method, path, **_body(row))
            said[name] = outcome(askers[name], response)
            transaction.set_rollback(True)
    return said


def _body(row: Row) -> dict[str, Any]:
    form = {"content_type": "application/x-www-form-urlencoded"}
    return {"data": "{}", "content_type": "application/json"} if row in OPERATIONS else form


_OUTCOMES = {401: "token", 403: "no", 404: "hidden", 410: "gone"}


def outcome(client: Client, response: HttpResponseBase) -> str:
    if response.streaming:
        b"".join(response)  # type: ignore[arg-type]  # closes the file
    assert response.status_code < 500
    place = response.headers.get("Location", "")
    if place.startswith("/accounts/login/"):
        return "sign-in"
    # Where signing in begins, and the old addresses of rows, both of which only send on.
    if place.startswith("/admin/login/") or place.endswith("/change/"):
        return outcome(client, client.get(place))
    if response.headers.get("Content-Type") == "application/problem+json":
        code = response.json()["code"]  # type: ignore[attr-defined]
        return "scope" if code == "scope-missing" else _OUTCOMES.get(response.status_code, "yes")
    return _OUTCOMES.get(response.status_code, "yes")


# --- the tables ------------------------------------------------------------------------------


def test_every_page_lets_in_whom_its_row_says(values: Values, askers: dict[str, Client]) -> None:
    with_factor = [row for row in ADMINISTRATION if "factor" in row.path]
    others = [row for row in PAGES + ADMINISTRATION if row not in with_factor]
    assert differences(with_factor, askers, values) == []
    Authenticator.objects.all().delete()
    assert differences(others, askers, values) == []


def differences(table: list[Row], askers: dict[str, Client], values: Values) -> list[str]:
    """In the words of the table."""
    found = []
    for row in table:
        said = outcomes(row, askers, row.path.format(**values))
        found += [
            f"{row} lets {name}: {said[name]}, not {word}"
            for name, word in row.expected.items()
            if said[name] != word
        ]
    return found


def test_every_operation_lets_in_the_tokens_that_its_row_says(
    values: Values, owner: Any, stranger: Any, settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = settings.API_ANONYMOUS_REQUESTS_PER_MINUTE = 1000
    User.objects.filter(pk=owner.pk).update(is_staff=True)  # or a token could not have `admin`
    owner.refresh_from_db()
    askers = {scope.value: bearer(owner, scope) for scope in Scope}
    askers |= {"nobody": Client(), "session": signed_in(owner)}
    askers["other"] = bearer(stranger, Scope.READ, Scope.MATCH)
    for state in ("revoked_at", "expires_at"):
        name = "revoked" if state == "revoked_at" else "expired"
        askers[name] = bearer(owner, *Scope)
        newest = Token.objects.order_by("pk").last()
        Token.objects.filter(pk=newest and newest.pk).update(**{state: timezone.now()})
    assert differences(OPERATIONS, askers, values) == []


def bearer(person: Any, *scopes: Scope) -> Client:
    return with_secret(tokens.make(person, "test", scopes)[1])


def test_every_link_shows_what_its_row_says(values: Values, answered: Upload) -> None:
    now = timezone.now()
    past = {"created_at": now - timedelta(days=31), "expires_at": now - timedelta(seconds=1)}
    states: dict[str, dict[str, Any]] = {"expired": past, "revoked": {"revoked_at": now}}
    for row in LINKS:
        said = {}
        for name in row.expected:
            share = Share.objects.create(upload=answered, **states.get(name, {}))
            link = "unknown" if name == "unknown" else share.token
            User.objects.filter(pk=answered.owner_id).update(is_active=name != "of-inactive")
            said[name] = outcome(Client(), Client().get(row.path.format(link=link)))
        assert said == row.expected


# --- nothing is left out ---------------------------------------------------------------------


def test_every_url_has_a_row() -> None:
    named = {route_of(row) for row in PAGES + LINKS + OPERATIONS + ADMINISTRATION}
    lacking = [
        route
        for route in routes(get_resolver())
        if route not in named and not route.startswith(permissions.OTHERS)
    ]
    assert lacking == ["api/v1/"]  # where the operations begin: nothing is there


def test_every_operation_of_the_api_has_a_row() -> None:
    there = {
        (method.upper(), re.sub(r"{(\w+)_id}", r"{\1}", path))
        for path, operations in api.get_openapi_schema()["paths"].items()
        for method in operations
    }
    assert there == {(row.method, row.path) for row in OPERATIONS}


def test_a_url_that_nobody_thought_of_would_be_found() -> None:
    assert "uploads/<uuid:upload_id>/audio/" in set(routes(get_resolver()))
    assert "admin/tracks/job/<int:pk>/live/" in set(routes(get_resolver()))


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        yield from routes(one, route) if isinstance(one, URLResolver) else [route]


class _Any(dict[str, str]):
    """Something that fits wherever an id is wanted."""

    def __missing__(self, name: str) -> str:
        return "00000000-0000-4000-8000-000000000000" if name == "upload" else "1"


def route_of(row: Row) -> str:
    return resolve(row.path.format_map(_Any())).route
