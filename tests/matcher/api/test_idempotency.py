"""A POST that is sent again, because its answer was lost, happens once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from matcher.api import idempotency, tasks
from matcher.api.models import KeptAnswer, Rate, Token
from matcher.models import Upload
from tests.matcher.api.conftest import Caller, code_of, send, song

KEY = {"Idempotency-Key": "a4e1"}


def stored() -> list[str]:
    folders, _ = default_storage.listdir("uploads")
    return [name for one in folders for name in default_storage.listdir(f"uploads/{one}")[1]]


def test_the_same_upload_sent_again_is_answered_again_and_kept_once(program: Client) -> None:
    first, again = (send(program, **KEY) for _ in range(2))
    assert Upload.objects.count() == len(stored()) == 1
    assert again.status_code == first.status_code == 202
    assert (again.content, again["Location"]) == (first.content, first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first


def test_the_answer_is_the_first_one_even_when_the_job_went_on(program: Client) -> None:
    first = send(program, **KEY)
    Upload.objects.all().delete()
    assert send(program, **KEY).content == first.content
    assert not Upload.objects.exists()


@pytest.mark.parametrize("other", [song(b"other sound"), song(name="other name.wav")])
def test_the_key_of_another_request_is_refused(program: Client, other: Any) -> None:
    send(program, **KEY)
    response = send(program, other, **KEY)
    assert (response.status_code, code_of(response)) == (422, "key-reused")
    assert Upload.objects.count() == 1


def test_without_a_key_each_upload_counts(program: Client) -> None:
    assert send(program).json()["id"] != send(program).json()["id"]


def test_a_key_belongs_to_one_token(program: Client, caller: Caller, owner: Any) -> None:
    other = caller(owner)
    assert send(program, **KEY).json()["id"] != send(other, **KEY).json()["id"]


def test_a_key_is_free_again_after_a_day(program: Client) -> None:
    first = send(program, **KEY).json()
    KeptAnswer.objects.update(created_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1))
    assert send(program, song(b"other sound"), **KEY).json()["id"] != first["id"]


def test_what_was_refused_may_be_sent_again_with_the_same_key(program: Client) -> None:
    assert code_of(send(program, song(b""), **KEY)) == "empty-file"
    assert send(program, **KEY).status_code == 202


def test_an_error_of_ours_keeps_neither_the_upload_nor_the_key(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "_keep", None)
        with pytest.raises(TypeError):
            send(program, **KEY)
    assert not Upload.objects.exists()
    assert send(program, **KEY).status_code == 202


@pytest.mark.parametrize("key", ["x" * 256, "two words", "schlüssel"])
def test_a_key_that_is_no_word_is_refused(program: Client, key: str) -> None:
    response = send(program, **{"Idempotency-Key": key})
    assert code_of(response) == "invalid"
    assert not Upload.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_request_at_the_same_time_is_told_to_come_again(program: Client) -> None:
    with _under_way(Token.objects.get(), KEY["Idempotency-Key"]):
        response = send(program, **KEY)
    assert (response.status_code, code_of(response)) == (409, "key-in-use")
    assert response["Retry-After"] == "1"
    assert not Upload.objects.exists()
    assert send(program, **KEY).status_code == 202


@contextmanager
def _under_way(token: Token, key: str) -> Iterator[None]:
    """Another process holds the key, as it does while it takes the file in."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            number = idempotency.lock_number(token, key)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            yield
    finally:
        other.rollback()
        other.close()


def test_what_is_old_is_forgotten(program: Client) -> None:
    send(program, **KEY)
    tasks.forget()
    assert (KeptAnswer.objects.count(), Rate.objects.count()) == (1, 1)
    long_ago = timezone.now() - timedelta(hours=25)
    KeptAnswer.objects.update(created_at=long_ago)
    Rate.objects.update(spent_at=long_ago)
    tasks.forget()
    assert (KeptAnswer.objects.count(), Rate.objects.count()) == (0, 0)
