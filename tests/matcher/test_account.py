"""The account page, and leaving: what is asked, what goes, what stays, who may not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from matcher import feedback, leaving
from matcher.api import tokens
from matcher.api.models import KeptAnswer, Scope, Token
from matcher.belongings import LEFT_OUT, SECTIONS
from matcher.errors import LeavingError
from matcher.models import FilesOfDay, Match, Notice, Share, State, Upload, Verdict
from tests.matcher.conftest import Upper
from tests.matcher.test_mine import Commits, question
from tests.matcher.test_services import kept_files
from tracks.models import Job, Track

PASSWORD = {"password": "owners-pass-1"}
LEAVE = "/account/delete/"


@pytest.fixture(autouse=True)
def _no_tries_yet(db: None) -> None:
    cache.clear()


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# --- the page ------------------------------------------------------------------------------


def test_the_account_page_says_what_is_held(
    owner_client: Client, answered: Upload, upload: Upper, stranger: Any
) -> None:
    upload(content=b"more sound")
    upload(owner=stranger)
    account = page(owner_client, "/account/")
    assert 'data-uploads="2" data-bytes="15"' in account
    assert "olivia" in account


def test_the_account_page_leads_to_addresses_password_download_and_leaving(
    owner_client: Client,
) -> None:
    account = page(owner_client, "/account/")
    for path in ("/accounts/email/", "/accounts/password/change/", "/account/download/", LEAVE):
        assert f'href="{path}"' in account


def test_the_menu_leads_to_the_account(owner_client: Client) -> None:
    assert 'href="/account/"' in page(owner_client, "/")


@pytest.mark.parametrize("path", ["/account/", LEAVE])
def test_the_account_needs_a_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


# --- leaving -------------------------------------------------------------------------------


def everything() -> dict[str, list[str]]:
    """Every row of every table, as text; not the counts of tries, which last for minutes."""
    rows = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - {"soundsite_cache"}:
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows[table] = [row[0] for row in cursor.fetchall()]
    return rows


@pytest.fixture
def full(stranger: Any, administrator: Any, upload: Upper, tracks: list[Track]) -> Any:
    """Makes a person with something in every place where there can be something."""
    _match(upload(State.FINISHED, owner=stranger), tracks)

    def make() -> User:
        user = User.objects.create_user("opal", "opal@example.org", "owners-pass-1")
        user.groups.add(Group.objects.get_or_create(name="listeners")[0])
        user.user_permissions.add(Permission.objects.all()[0])
        address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
        EmailConfirmation.create(address)
        done = upload(State.FINISHED, owner=user)
        _match(done, tracks)
        question(done)
        running = upload(State.ENCODING, owner=user)
        token = tokens.make(user, "nightly", [Scope.READ])[0]
        factor = Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})
        for row in (done, user, token, factor, address):
            _log(administrator, row)
        _log(user, tracks[0])
        _more(user, done, running, token)
        return user

    return make


def _more(user: User, done: Upload, running: Upload, token: Token) -> None:
    Share.objects.create(upload=done)
    FilesOfDay.objects.create(owner=user, day=timezone.localdate(), files=1)
    Notice.objects.create(upload=running, since=timezone.now(), address="https://here/")
    match = done.matches.select_related("track", "upload")[0]
    feedback.say(match, Verdict.GOOD)
    KeptAnswer.objects.create(token=token, key="k", request_sha256="0" * 64, status=202, body="{}")
    UserSession.objects.create(user=user, session_key="k", ip="192.0.2.1", user_agent="x")


def test_the_account_that_leaves_has_something_in_every_place(full: Callable[[], User]) -> None:
    full()
    named = {*LEFT_OUT, *(label for section in SECTIONS for label in section.models)}
    stays = {"tracks.Job"}  # without the name, see below
    empty = {
        label for label in named - stays if not apps.get_model(label)._default_manager.exists()
    }
    assert empty == set()


def _match(upload: Upload, tracks: list[Track]) -> None:
    Match.objects.create(upload=upload, rank=1, track=tracks[0], score=50, distance=1)


def _log(by: User, row: Any) -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=2,
    )


def test_leaving_takes_every_row_and_file_and_leaves_all_others(
    full: Callable[[], User],
    stranger_client: Client,
    settings: Any,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    Group.objects.create(name="listeners")
    before, files = everything(), sorted(kept_files(settings))
    full()
    here, elsewhere = Client(), Client()
    assert here.login(username="opal", **PASSWORD)
    assert elsewhere.login(username="opal", **PASSWORD)
    assert everything() != before
    with django_capture_on_commit_callbacks(execute=True):
        response = here.post(LEAVE, PASSWORD, follow=True)
    assert everything() == before
    assert sorted(kept_files(settings)) == files
    assert "Your account is gone" in response.content.decode()
    assert response.redirect_chain == [("/", 302)]
    assert elsewhere.get("/account/").status_code == 302
    assert stranger_client.get("/account/").status_code == 200


def test_leaving_asks_first_and_says_what_goes(
    owner_client: Client, answered: Upload, upload: Upper
) -> None:
    upload()
    asked = page(owner_client, LEAVE)
    assert "2 uploads (10\xa0bytes) with their files and answers" in asked
    assert 'name="password"' in asked
    assert Upload.objects.count() == 2


@pytest.mark.parametrize("typed", ["", "wrong", "olivia"])
def test_without_the_password_nothing_is_deleted(
    owner_client: Client, answered: Upload, typed: str
) -> None:
    before = everything()
    response = owner_client.post(LEAVE, {"password": typed})
    assert response.status_code == 400
    assert everything() == before
    assert 'aria-invalid="true"' in response.content.decode()


def test_passwords_cannot_be_guessed_without_end(owner_client: Client, owner: Any) -> None:
    for _ in range(10):
        owner_client.post(LEAVE, {"password": "wrong"})
    response = owner_client.post(LEAVE, PASSWORD)
    assert "Too many tries." in response.content.decode()
    assert User.objects.filter(pk=owner.pk).exists()


def test_whoever_has_no_password_types_the_user_name(owner: Any) -> None:
    owner.set_unusable_password()
    owner.save()
    client = Client()
    client.force_login(owner)
    assert 'name="username"' in page(client, LEAVE)
    assert client.post(LEAVE, {"username": "olive"}).status_code == 400
    assert client.post(LEAVE, {"username": "olivia"}).status_code == 302
    assert not User.objects.filter(pk=owner.pk).exists()


def test_what_an_administrator_started_stays_without_the_name(
    administrator: User, second_administrator: User
) -> None:
    job = Job.objects.create(kind=Job.Kind.IMPORT, title="An import", owner=administrator)
    leaving.delete_account(administrator)
    job.refresh_from_db()
    assert job.owner is None


@pytest.fixture
def second_administrator(db: None) -> User:
    return User.objects.create_superuser("bea", "bea@example.org", "admins-pass-1")


def test_the_last_superuser_is_told_why_it_must_stay(
    administrator_client: Client, administrator: User
) -> None:
    assert "the last one who can administer this site" in page(administrator_client, LEAVE)
    response = administrator_client.post(LEAVE, {"password": "admins-pass-1"})
    assert response.status_code == 409
    assert User.objects.filter(pk=administrator.pk).exists()


def test_one_that_cannot_sign_in_does_not_count_as_another_superuser(
    administrator: User, second_administrator: User
) -> None:
    User.objects.filter(pk=second_administrator.pk).update(is_active=False)
    with pytest.raises(LeavingError, match="last-superuser"):
        leaving.delete_account(administrator)


@pytest.mark.django_db(transaction=True)
def test_of_the_last_two_superusers_only_one_can_leave_at_a_time(
    administrator: User, second_administrator: User
) -> None:
    start = threading.Barrier(2)
    refused: list[str] = []

    def go(user: User) -> None:
        try:
            start.wait()
            leaving.delete_account(user)
        except LeavingError as error:
            refused.append(error.code)
        finally:
            connection.close()

    people = [threading.Thread(target=go, args=[one]) for one in User.objects.all()]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert refused == ["last-superuser"]
    assert User.objects.filter(is_superuser=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_leaving_that_fails_half_way_keeps_everything(
    full: Callable[[], User], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = full()
    before, files = everything(), kept_files(settings)

    def broken(_user: User) -> None:
        raise OSError("the power is out")

    monkeypatch.setattr(leaving, "_delete_sessions", broken)
    with pytest.raises(OSError, match="power"):
        leaving.delete_account(user)
    assert everything() == before
    assert all(Path(file).exists() for file in files)
