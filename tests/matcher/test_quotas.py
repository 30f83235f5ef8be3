"""How much one person and the site take: what is refused, how it is said, and that it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from matcher import services
from matcher.errors import TEXTS, LoadError, text_of
from matcher.models import FilesOfDay, State, Upload
from tests.matcher.api.conftest import caller as caller
from tests.matcher.api.conftest import code_of, send, song
from tests.matcher.api.conftest import program as program
from tests.matcher.conftest import Upper
from tests.matcher.test_taking import BY_SCRIPT, FORM
from tracks.models import Track

Fill = Callable[[str], None]
ALL = ["queue-full", "too-many-jobs", "too-many-files", "too-many-bytes"]


@pytest.fixture
def fill(upload: Upper, owner: Any, stranger: Any, settings: Any) -> Fill:
    """Makes the site, or the owner, have as much as it may have."""

    def make(code: str) -> None:
        if code == "queue-full":
            settings.QUEUE_MAX_JOBS = 1
            upload(owner=stranger)
        elif code == "too-many-jobs":
            settings.UPLOADS_AT_ONCE = 1
            upload(State.ENCODING)
        elif code == "too-many-files":
            settings.UPLOADS_PER_DAY = 1
            services.delete_upload(services.create_upload(owner, ContentFile(b"x", name="x.mp3")))
        else:
            settings.UPLOADS_KEPT_BYTES = 10
            upload(State.FINISHED, content=b"x" * 10)

    return make


def kept(settings: Any) -> tuple[int, int]:
    files = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    return Upload.objects.count(), len(files)


def retry_after(response: Any, code: str) -> None:
    """429 with a time to come back, or 413 where waiting does not help."""
    if code == "too-many-bytes":
        assert (response.status_code, "Retry-After" in response) == (413, False)
    else:
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 24 * 60 * 60 + 1


@pytest.mark.parametrize("code", ALL)
@pytest.mark.parametrize("by_script", [False, True], ids=["form", "script"])
def test_a_file_too_many_is_refused_by_the_form_and_not_kept(
    fill: Fill, owner_client: Client, settings: Any, code: str, by_script: bool
) -> None:
    fill(code)
    before = kept(settings)
    response = owner_client.post(FORM, {"audio": song()}, headers=BY_SCRIPT if by_script else {})
    retry_after(response, code)
    if by_script:
        assert response.json()["error"] == code
        assert str(text_of(code).sentence) in response.json()["message"]
    else:
        assert f'data-error="{code}"' in response.content.decode()
    assert kept(settings) == before


@pytest.mark.parametrize("code", ALL)
def test_a_file_too_many_is_refused_by_the_api_with_the_same_code(
    fill: Fill, program: Client, settings: Any, code: str
) -> None:
    fill(code)
    before = kept(settings)
    response = send(program)
    assert code_of(response) == code
    retry_after(response, code)
    assert kept(settings) == before


@pytest.mark.parametrize("code", ALL)
def test_the_form_says_what_is_in_the_way_before_a_file_is_chosen(
    fill: Fill, owner_client: Client, code: str
) -> None:
    assert 'data-error=""' in owner_client.get(FORM).content.decode()
    fill(code)
    response = owner_client.get(FORM)
    assert response.status_code == 200
    assert str(TEXTS[code].title) in response.content.decode()


def test_others_may_still_send_what_one_person_may_not(fill: Fill, stranger_client: Client) -> None:
    for code in ("too-many-jobs", "too-many-files", "too-many-bytes"):
        fill(code)
        assert stranger_client.post(FORM, {"audio": song(b"x")}).status_code == 302
        Upload.objects.all().delete()
        FilesOfDay.objects.all().delete()


def test_the_next_day_begins_with_nothing_sent(fill: Fill, owner: Any) -> None:
    fill("too-many-files")
    FilesOfDay.objects.update(day=timezone.localdate() - timedelta(days=1))
    services.create_upload(owner, ContentFile(b"x", name="x.mp3"))
    assert FilesOfDay.objects.get().files == 1


@pytest.mark.parametrize("code", ["queue-full", "too-many-jobs"])
def test_a_question_too_many_is_refused_and_so_is_one_more_try(
    fill: Fill, answered: Upload, tracks: list[Track], owner_client: Client, code: str
) -> None:
    fill(code)
    page = f"/uploads/{answered.pk}/"
    for address, fields in (
        (f"{page}ask/", {"artist": "An artist"}),
        (f"/catalogue/{tracks[0].pk}/similar/", {}),
        (f"{page}again/", {}),
    ):
        response = owner_client.post(address, fields)
        retry_after(response, code)
        assert str(TEXTS[code].title) in response.content.decode()
    assert Upload.objects.count() == 2


def test_a_question_is_neither_a_file_of_the_day_nor_bytes(
    fill: Fill, tracks: list[Track], owner: Any
) -> None:
    fill("too-many-files")
    fill("too-many-bytes")
    services.ask(owner, like=tracks)
    with pytest.raises(LoadError, match="too-many-files"):
        services.create_upload(owner, ContentFile(b"x", name="x.mp3"))


@pytest.mark.django_db(transaction=True)
def test_of_files_sent_at_once_no_more_are_taken_than_may_be(owner: Any, settings: Any) -> None:
    settings.UPLOADS_AT_ONCE = 3
    start = threading.Barrier(8)
    refused: list[str] = []

    def work() -> None:
        try:
            start.wait()
            services.create_upload(owner, ContentFile(b"x", name="x.mp3"))
        except LoadError as error:
            refused.append(error.code)
        finally:
            connection.close()

    people = [threading.Thread(target=work) for _ in range(8)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert refused == ["too-many-jobs"] * 5
    assert kept(settings) == (3, 3)
    assert FilesOfDay.objects.get().files == 3
