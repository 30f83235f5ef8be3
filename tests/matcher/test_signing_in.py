"""Signing in: how often it may be tried, the second factor, sessions, what strangers learn."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

LOGIN, SIGNUP, RESET = "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"
PASSWORD = "owners-pass-1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_tries_yet(db: None) -> None:
    cache.clear()


def enter(client: Client, name: str = "olivia", password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": name, "password": password}, **more)


def say_again(client: Client) -> None:
    """The password, once more: what changes how an account is opened asks for it."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def in_words(response: Any) -> str:
    return str(response.content.decode())


# --- tries -----------------------------------------------------------------------------------


def test_a_password_can_be_guessed_five_times_from_anywhere(owner: User) -> None:
    for number in range(5):
        response = enter(Client(), password="wrong", REMOTE_ADDR=f"192.0.2.{number}")
        assert "not correct" in in_words(response)
    response = enter(Client(), REMOTE_ADDR="192.0.2.99")
    assert "Too many failed login attempts" in in_words(response)


def test_the_tries_are_counted_where_every_web_process_sees_them(owner: User) -> None:
    enter(Client(), password="wrong")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM soundsite_cache WHERE cache_key LIKE '%login_failed%'")
        assert cursor.fetchone()[0] == 2  # by address and by name


@pytest.mark.parametrize("path", [SIGNUP, RESET])
def test_an_address_can_sign_up_and_ask_for_a_new_password_only_so_often(path: str) -> None:
    answers = {Client().post(path, {"email": f"{n}@example.org"}).status_code for n in range(20)}
    assert answers <= {200, 302}
    response = Client().post(path, {"email": "one-more@example.org"})
    assert response.status_code == 429
    assert "That was too often" in in_words(response)


# --- what strangers learn --------------------------------------------------------------------


def test_signing_in_does_not_tell_a_wrong_name_from_a_wrong_password(owner: User) -> None:
    wrong = [in_words(enter(Client(), name, "wrong")) for name in ("olivia", "nobody")]
    errors = [re.findall(r"errorlist.*?</ul>", text, re.DOTALL) for text in wrong]
    assert errors[0] == errors[1] != []


def test_asking_for_a_new_password_answers_alike_with_and_without_an_account(owner: User) -> None:
    for address in ("olivia@example.org", "nobody@example.org"):
        response = Client().post(RESET, {"email": address})
        assert response["Location"] == "/accounts/password/reset/done/"


def test_signing_up_does_not_tell_that_an_address_has_an_account(owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    form = {"password1": "a-long-phrase-9", "password2": "a-long-phrase-9"}
    answers = [
        Client().post(SIGNUP, {"email": address, "username": name, **form})
        for name, address in (("new", "new@example.org"), ("twin", "olivia@example.org"))
    ]
    assert [(one.status_code, one["Location"]) for one in answers] == [(302, "/uploads/new/")] * 2
    assert not EmailAddress.objects.get(user__username="twin").verified


# --- e-mail ----------------------------------------------------------------------------------


def test_another_address_counts_only_when_it_is_confirmed(owner: User) -> None:
    old = EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    client = Client()
    enter(client)
    say_again(client)
    client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    page = in_words(client.get("/accounts/email/"))
    assert "new@example.org" in page
    assert EmailAddress.objects.get(primary=True) == old
    (sent,) = (one for one in mail.outbox if one.to == ["new@example.org"])
    found = re.search(r"/accounts/confirm-email/\S+", sent.body)
    assert found
    client.post(found[0])
    assert EmailAddress.objects.get().email == "new@example.org"
    owner.refresh_from_db()
    assert owner.email == "new@example.org"


def test_the_address_is_changed_only_by_somebody_who_knows_the_password(
    owner_client: Client, owner: User
) -> None:
    form = {"email": "thief@example.org", "action_add": ""}
    response = owner_client.post("/accounts/email/", form)
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="thief@example.org").exists()


# --- the second factor -----------------------------------------------------------------------


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


@pytest.fixture
def with_factor(owner: User) -> str:
    """The secret that is in the owner's app."""
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    client = Client()
    enter(client)
    say_again(client)
    page = in_words(client.get("/accounts/2fa/totp/activate/"))
    found = re.search(r'id="authenticator-secret">(\w+)<', page)
    assert found
    response = client.post("/accounts/2fa/totp/activate/", {"code": code_of(found[1])})
    assert response["Location"] == "/accounts/2fa/recovery-codes/"
    codes = in_words(client.get("/accounts/2fa/recovery-codes/"))
    assert len(re.findall(r"<code>\d{8}</code>", codes)) == 10
    return found[1]


def test_whoever_has_a_second_factor_is_asked_for_it(with_factor: str) -> None:
    client = Client()
    assert enter(client)["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/account/").status_code == 302
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert client.get("/account/").status_code == 302
    _forget_use()
    client.post("/accounts/2fa/authenticate/", {"code": code_of(with_factor)})
    assert client.get("/account/").status_code == 200


def _forget_use() -> None:
    """A code counts once; the test does not wait half a minute for the next."""
    cache.clear()


def test_a_recovery_code_opens_the_account_once(with_factor: str, owner: User) -> None:
    codes = Authenticator.objects.get(user=owner, type="recovery_codes").wrap()
    code = codes.get_unused_codes()[0]
    opened = []
    for _ in range(2):
        client = Client()
        enter(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        opened.append(client.get("/account/").status_code)
    assert opened == [200, 302]


def test_the_administration_has_no_door_beside_it(administrator: User) -> None:
    client = Client()
    form = {"username": "ada", "password": "admins-pass-1"}
    response = client.post("/admin/login/?next=/admin/", form)
    assert response["Location"].startswith(LOGIN)
    assert client.get("/admin/").status_code == 302


def test_no_page_of_the_administration_shows_the_secret(
    with_factor: str, administrator_client: Client, owner: User
) -> None:
    factor = Authenticator.objects.get(user=owner, type="totp")
    page = in_words(administrator_client.get(f"/admin/mfa/authenticator/{factor.pk}/change/"))
    assert "TOTP" in page
    assert with_factor not in page
    assert factor.data["secret"] not in page


# --- sessions --------------------------------------------------------------------------------


def test_sessions_are_listed_and_all_others_can_be_ended(owner: User) -> None:
    here, elsewhere = Client(headers={"User-Agent": "Here"}), Client(headers={"User-Agent": "Pub"})
    for client in (here, elsewhere):
        enter(client)
    listed = in_words(here.get("/accounts/sessions/"))
    assert "Here" in listed
    assert "Pub" in listed
    here.post("/accounts/sessions/")
    assert elsewhere.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


def test_a_new_password_ends_the_other_sessions(owner: User) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        enter(client)
    new = {"password1": "another-phrase-7", "password2": "another-phrase-7"}
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    assert elsewhere.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200
