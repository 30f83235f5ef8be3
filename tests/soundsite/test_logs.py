"""Lines of the log: whose they are can be followed, who it was about cannot be seen."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client

from matcher import tasks
from matcher.models import Upload
from soundsite import logs
from soundsite.logs import WithoutSecrets

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(settings: Any, tmp_path: Any) -> Iterator[Lines]:
    """What the root logger writes as JSON while a test lasts."""
    settings.MEDIA_ROOT = str(tmp_path)
    stream = io.StringIO()
    formatter = dict(logs.configuration("INFO", "JSON")["formatters"]["line"])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter.pop("()")(**formatter))
    root = logging.getLogger()
    level, _ = root.level, root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def send(client: Client, name: str) -> Upload:
    client.post("/uploads/new/?from=olivia", {"audio": SimpleUploadedFile(name, b"no sound")})
    return Upload.objects.latest("created_at")


def test_an_upload_can_be_followed_from_its_request_through_its_job(
    owner_client: Client, lines: Lines
) -> None:
    upload = send(owner_client, "secret love song.mp3")
    tasks.match_upload(str(upload.pk))
    taken = next(line for line in lines() if "was taken in" in line["event"])
    request = next(line for line in lines() if line["event"] == "request_finished")
    assert taken["request_id"] == request["request_id"]
    assert str(upload.pk) in taken["event"]
    job = [line for line in lines() if line.get("upload_id") == str(upload.pk)]
    assert [line["attempt"] for line in job] == [1, 1]
    assert "claimed" in job[0]["event"]
    assert "failed: no-model" in job[1]["event"]
    assert {line["logger"] for line in job} == {"matcher.tasks"}


def test_no_line_has_a_name_an_address_or_what_somebody_asked_for(
    owner_client: Client, lines: Lines
) -> None:
    send(owner_client, "secret love song.mp3")
    browser = {"User-Agent": "olivias-browser"}
    owner_client.get("/catalogue/?q=my+secret+love", headers=browser, REMOTE_ADDR="203.0.113.7")
    owner_client.get("/nowhere/secret", headers=browser)
    said = json.dumps(lines())
    assert "GET /catalogue/" in said
    assert "GET (no such page)" in said
    for word in ("secret", "love", "olivia", "203.0.113", "example.org"):
        assert word not in said


def test_an_error_has_its_traceback_and_not_the_values_of_its_variables(
    owner_client: Client, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        password = "hidden".upper()  # noqa: F841
        raise RuntimeError("the moon fell down")

    monkeypatch.setattr("matcher.selectors.uploads_of", broken)
    owner_client.raise_request_exception = False
    assert owner_client.get("/uploads/").status_code == 500
    (failed,) = (line for line in lines() if line["event"] == "request_failed")
    assert "the moon fell down" in failed["exception"]
    assert "HIDDEN" not in json.dumps(lines())


def test_a_database_that_is_away_is_a_line_for_each_request_and_no_traceback(
    owner_client: Client, lines: Lines
) -> None:
    owner_client.raise_request_exception = False
    with mock.patch.object(connection, "cursor", side_effect=OperationalError("refused")):
        assert owner_client.get("/uploads/").status_code == 503
    (line,) = lines()
    assert (line["code"], line["error"]) == (503, "the database is away")
    assert "exception" not in line


# --- what the console's filter takes out ---


def logged(words: str, *arguments: Any) -> str:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, words, arguments, None)
    assert WithoutSecrets().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/s/abcDEF_1-2/audio/", "/s/…/audio/"),
        ("/accounts/confirm-email/Mg:1x:abc/", "/accounts/confirm-email/…/"),
        ("/accounts/password/reset/key/1-set-password/", "/accounts/password/reset/key/…/"),
        ("/uploads/new/", "/uploads/new/"),
    ],
)
def test_an_address_that_opens_something_is_not_logged(path: str, kept: str) -> None:
    assert logged("Not Found: %s", path) == f"Not Found: {kept}"
    assert logged(f'"GET {path}"') == f'"GET {kept}"'
