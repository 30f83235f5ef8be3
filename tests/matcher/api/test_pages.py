"""The tokens' page, the administration of tokens, and what is told about the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from matcher.api import tokens
from matcher.api.models import Scope, Token
from matcher.api.problems import KINDS
from matcher.errors import TEXTS
from tests.matcher.api.conftest import with_secret

PAGE = "/account/tokens/"
FORM = {"name": "nightly import", "scopes": ["read", "match"], "days": "90"}


def secret_in(page: str) -> str:
    found = re.search(r'<code id="secret"[^>]*>([^<]+)</code>', page)
    assert found is not None, "no secret is shown"
    return found[1]


def test_a_token_made_on_the_page_opens_the_api(owner_client: Client) -> None:
    response = owner_client.post(PAGE, FORM)
    assert "no-store" in response["Cache-Control"]
    secret = secret_in(response.content.decode())
    assert with_secret(secret).get("/api/v1/uploads").status_code == 200


def test_the_secret_is_shown_only_once(owner_client: Client) -> None:
    secret = secret_in(owner_client.post(PAGE, FORM).content.decode())
    page = owner_client.get(PAGE).content.decode()
    assert secret not in page
    assert secret[: len("soundsite_") + 8] in page
    assert "nightly import" in page


def test_a_token_of_the_page_expires_unless_nobody_wants_it_to(owner_client: Client) -> None:
    owner_client.post(PAGE, FORM)
    owner_client.post(PAGE, {**FORM, "days": ""})
    forever, limited = Token.objects.all()
    assert forever.expires_at is None
    assert limited.expires_at is not None
    assert (limited.expires_at - limited.created_at).days in (89, 90)


def test_only_an_administrator_is_offered_the_scope_admin(
    owner_client: Client, administrator_client: Client
) -> None:
    assert 'value="admin"' not in owner_client.get(PAGE).content.decode()
    assert 'value="admin"' in administrator_client.get(PAGE).content.decode()
    page = owner_client.post(PAGE, {**FORM, "scopes": ["admin"]}).content.decode()
    assert "errorlist" in page
    assert not Token.objects.exists()


@pytest.mark.parametrize("missing", ["name", "scopes"])
def test_a_form_that_is_not_complete_makes_nothing(owner_client: Client, missing: str) -> None:
    page = owner_client.post(PAGE, {**FORM, missing: ""}).content.decode()
    assert "errorlist" in page
    assert not Token.objects.exists()


def test_nobody_has_more_valid_tokens_than_there_may_be(owner_client: Client, owner: Any) -> None:
    for number in range(tokens.MOST):
        tokens.make(owner, str(number), [Scope.READ])
    assert "Revoke one" in owner_client.post(PAGE, FORM).content.decode()
    assert Token.objects.count() == tokens.MOST
    tokens.revoke(Token.objects.filter(name="0"))
    secret_in(owner_client.post(PAGE, FORM).content.decode())


def test_a_revoked_token_opens_nothing_and_stays_in_the_list(
    owner_client: Client, owner: Any
) -> None:
    token, secret = tokens.make(owner, "mine", [Scope.READ])
    response = owner_client.post(f"{PAGE}{token.pk}/revoke/", follow=True)
    assert "was revoked" in response.content.decode()
    assert with_secret(secret).get("/api/v1/uploads").status_code == 401


def test_a_stranger_neither_sees_nor_revokes_it(stranger_client: Client, owner: Any) -> None:
    token, secret = tokens.make(owner, "a name of its own", [Scope.READ])
    assert "a name of its own" not in stranger_client.get(PAGE).content.decode()
    assert stranger_client.post(f"{PAGE}{token.pk}/revoke/").status_code == 404
    assert with_secret(secret).get("/api/v1/uploads").status_code == 200


def test_the_page_needs_a_sign_in(client: Client, db: None) -> None:
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_an_administrator_sees_tokens_without_secrets_and_revokes_them(
    administrator_client: Client, owner: Any
) -> None:
    token, secret = tokens.make(owner, "mine", [Scope.READ])
    for path in ("", f"{token.pk}/change/"):
        page = administrator_client.get(f"/admin/api/token/{path}").content.decode()
        assert token.prefix in page
        assert secret not in page
        assert token.digest not in page
    form = {"action": "revoke", "_selected_action": [token.pk]}
    administrator_client.post("/admin/api/token/", form)
    assert with_secret(secret).get("/api/v1/uploads").status_code == 401


def test_every_code_is_explained_where_problems_point_to(client: Client, db: None) -> None:
    page = client.get("/api/v1/problems").content.decode()
    for code in (*KINDS, *TEXTS):
        assert f'id="{code}"' in page
    assert "%(" not in page


def test_the_document_and_its_page_load_nothing_from_elsewhere(client: Client, db: None) -> None:
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.1")
    page = client.get("/api/v1/docs").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) >= 4
    for address in loaded:
        assert address.startswith(("/static/", "/api/v1/"))
        response = client.get(address)
        assert response.status_code == 200
        assert b"".join(response)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/api/v2/tracks", 404, "not-found"),
        ("PUT", "/api/v1/tracks", 405, "method-not-allowed"),
    ],
)
def test_what_does_not_exist_is_told_as_a_problem(
    client: Client, db: None, method: str, path: str, status: int, code: str
) -> None:
    response = client.generic(method, path)
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)
    if status == 405:
        assert response["Allow"] == "GET"


def test_an_error_of_ours_is_told_without_its_details(
    owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    monkeypatch.setattr("matcher.api.tracks.selectors.catalogue", _broken)
    response = client.get("/api/v1/tracks")
    assert (response.status_code, response.json()["code"]) == (500, "internal-error")
    assert "secret" not in response.content.decode()


def _broken(*_: Any) -> None:
    raise RuntimeError("secret")
