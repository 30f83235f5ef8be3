"""What the refused are told, and which tokens are valid; `test_permissions` has who may what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from matcher.api import tokens
from matcher.api.models import Scope, Token
from tests.matcher.api.conftest import Caller, code_of, with_secret


def test_without_a_token_nothing_is_told_but_how_to_send_one(client: Client, db: None) -> None:
    response = client.get("/api/v1/uploads")
    assert (response.status_code, code_of(response)) == (401, "not-authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="Soundsite"'


def test_a_token_without_the_scope_is_told_which_one_is_needed(caller: Caller, owner: Any) -> None:
    response = caller(owner, Scope.READ).post("/api/v1/tracks/1/similar", "{}", "application/json")
    assert (response.status_code, code_of(response)) == (403, "scope-missing")
    assert response.json()["scope"] == Scope.MATCH


@pytest.mark.parametrize("path", ["/api/v1/uploads", "/api/v1/tracks"])
@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"digest": "0" * 64},
    ],
    ids=["revoked", "expired", "unknown"],
)
def test_a_token_that_is_not_valid_opens_nothing_not_even_the_catalogue(
    program: Client, changes: dict[str, Any], path: str
) -> None:
    assert program.get(path).status_code == 200
    Token.objects.update(**changes)
    assert code_of(program.get(path)) == "not-authenticated"


def test_a_token_of_somebody_who_may_not_sign_in_any_more_is_not_valid(
    program: Client, owner: Any
) -> None:
    owner.is_active = False
    owner.save()
    assert code_of(program.get("/api/v1/uploads")) == "not-authenticated"


def test_a_token_works_until_it_expires(caller: Caller, owner: Any) -> None:
    client = caller(owner, expires_at=timezone.now() + timedelta(minutes=1))
    assert client.get("/api/v1/uploads").status_code == 200


@pytest.mark.parametrize("header", ["Basic b2xpdmlhOng=", "soundsite_x", "Bearer", ""])
def test_another_way_to_authenticate_is_refused(client: Client, db: None, header: str) -> None:
    response = client.get("/api/v1/tracks", headers={"Authorization": header})
    assert code_of(response) == "not-authenticated"


def test_the_scope_admin_ends_with_the_rights_of_its_owner(
    caller: Caller, administrator: Any
) -> None:
    client = caller(administrator)
    assert client.get("/api/v1/versions").status_code == 200
    administrator.is_staff = False
    administrator.save()
    assert code_of(client.get("/api/v1/versions")) == "scope-missing"


def test_nobody_but_an_administrator_gets_the_scope_admin(owner: Any) -> None:
    with pytest.raises(ValueError, match="only administrators"):
        tokens.make(owner, "more", [Scope.ADMIN])


def test_only_a_digest_of_the_secret_is_kept(owner: Any) -> None:
    token, secret = tokens.make(owner, "mine", [Scope.READ])
    assert secret.startswith(token.prefix)
    kept = [str(value) for value in Token.objects.values().get().values()]
    assert not any(secret in value for value in kept)
    assert token.digest == tokens.digest(secret)


def test_when_a_token_was_used_is_noted(owner: Any) -> None:
    token, secret = tokens.make(owner, "mine", [Scope.READ])
    assert token.last_used_at is None
    with_secret(secret).get("/api/v1/uploads")
    token.refresh_from_db()
    assert token.last_used_at is not None
