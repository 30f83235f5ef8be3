"""The picture of an upload's codes: for its owner alone, and never read for a list."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matcher.models import Upload

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def painted(answered: Upload) -> Upload:
    Upload.objects.update(strip=PNG, peaks=b"p" * 1600, encoding=b"codes")
    return answered


def address(upload: Upload) -> str:
    return reverse("matcher:strip", args=[upload.pk])


def test_its_owner_sees_the_strip_and_loads_it_once(owner_client: Client, painted: Upload) -> None:
    assert address(painted) == f"/uploads/{painted.pk}/strip.png"
    first = owner_client.get(address(painted))
    assert (first.status_code, first.content) == (200, PNG)
    assert (first["Content-Type"], first["Cache-Control"]) == ("image/png", "private, no-cache")
    again = owner_client.get(address(painted), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_another_picture_has_another_tag(owner_client: Client, painted: Upload) -> None:
    first = owner_client.get(address(painted))["ETag"]
    Upload.objects.update(strip=PNG + b"!")
    second = owner_client.get(address(painted), headers={"If-None-Match": first})
    assert (second.status_code, second.content) == (200, PNG + b"!")


@pytest.mark.parametrize("person", ["stranger_client", "administrator_client"])
def test_nobody_else_sees_the_strip(
    request: pytest.FixtureRequest, painted: Upload, person: str
) -> None:
    client: Client = request.getfixturevalue(person)
    assert client.get(address(painted)).status_code == 404


def test_without_a_sign_in_there_is_no_strip(client: Client, painted: Upload) -> None:
    assert client.get(address(painted)).status_code == 302


def test_an_upload_that_was_heard_before_there_were_strips_has_none(
    owner_client: Client, answered: Upload
) -> None:
    assert owner_client.get(address(answered)).status_code == 404


@pytest.mark.parametrize(
    ("person", "page"),
    [("owner_client", "/uploads/"), ("administrator_client", "/admin/matcher/upload/")],
)
def test_lists_read_none_of_what_was_heard(
    request: pytest.FixtureRequest, painted: Upload, person: str, page: str
) -> None:
    client: Client = request.getfixturevalue(person)
    with CaptureQueriesContext(connection) as queries:
        assert "song.mp3" in client.get(page).content.decode()
    for column in Upload.BULKY:
        assert not [each for each in queries if f'"{column}"' in each["sql"]]
