"""Uploads by the API: sent in, followed, read, deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from matcher.errors import TEXTS
from matcher.models import RUNNING, State, Upload
from tests.matcher.api.conftest import code_of, send, song
from tests.matcher.conftest import Upper
from tests.matcher.sounds import tone
from tracks.models import Track


def url(upload: Upload, rest: str = "") -> str:
    return f"/api/v1/uploads/{upload.pk}{rest}"


# --- sending in ----------------------------------------------------------------------------


def test_a_file_is_accepted_with_the_url_of_its_job(program: Client, owner: Any) -> None:
    response = send(program)
    upload = Upload.objects.get()
    assert response.status_code == 202
    assert response["Location"] == response.json()["url"] == f"http://testserver{url(upload)}"
    assert (upload.owner, upload.state) == (owner, State.QUEUED)
    assert program.get(response["Location"]).json() == response.json()


def test_an_upload_by_the_api_equals_one_by_the_page(program: Client, owner_client: Client) -> None:
    send(program)
    owner_client.post("/uploads/new/", {"audio": song()})
    theirs, ours = Upload.objects.order_by("created_at")
    same = ("owner_id", "state", "original_name", "size", "sha256", "attempts_left", "question")
    for name in same:
        assert getattr(theirs, name) == getattr(ours, name)
    with theirs.audio.open("rb") as one, ours.audio.open("rb") as other:
        assert one.read() == other.read() == tone(1)


def test_both_are_nudged_in_the_same_way(
    program: Client,
    owner_client: Client,
    messages: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send(program)
    assert messages() == 1
    with django_capture_on_commit_callbacks(execute=True):
        owner_client.post("/uploads/new/", {"audio": song()})
    assert messages() == 2


def test_an_empty_file_is_refused_with_the_code_of_the_page(program: Client) -> None:
    response = send(program, song(b""))
    assert (response.status_code, code_of(response)) == (422, "empty-file")
    assert str(TEXTS["empty-file"].title) == response.json()["title"]
    assert not Upload.objects.exists()


def test_a_form_without_a_file_is_refused_with_the_code_of_the_page(program: Client) -> None:
    response = program.post("/api/v1/uploads", {"something": "else"})
    assert (response.status_code, code_of(response)) == (422, "missing")
    assert response.json()["errors"] == [{"where": "file.audio", "message": "Field required"}]


def test_a_file_beyond_the_limit_is_refused_and_not_kept(program: Client, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    response = send(program)
    assert (response.status_code, code_of(response)) == (413, "too-large")
    assert not Upload.objects.exists()


def test_a_body_that_is_longer_than_any_allowed_file_is_never_parsed(
    program: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    monkeypatch.setattr("django.http.HttpRequest._load_post_and_files", None)
    response = send(program, song(bytes(100_000)))
    assert (response.status_code, code_of(response)) == (413, "too-large")


def test_a_name_is_shown_without_folders(program: Client) -> None:
    assert send(program, song(name="C:\\music\\a song.mp3")).json()["name"] == "a song.mp3"


# --- following -----------------------------------------------------------------------------


def test_a_waiting_job_tells_its_place_in_the_queue(
    program: Client, upload: Upper, stranger: Any
) -> None:
    upload(owner=stranger, queued_at=timezone.now() - timedelta(seconds=9))
    job = program.get(url(upload())).json()
    assert (job["state"], job["position"], job["ended"]) == ("QUEUED", 2, False)
    assert job["stages"][0]["status"] == "now"
    assert job["result_url"] is None


@pytest.mark.parametrize("state", RUNNING)
def test_a_running_job_tells_its_stages(program: Client, upload: Upper, state: State) -> None:
    row = upload(state)
    job = program.get(url(row)).json()
    stages = {stage["state"]: stage for stage in job["stages"]}
    assert stages[state]["status"] == "now"
    assert stages["QUEUED"]["status"] == "done"
    assert stages["DECODING"]["entered_at"] == job["started_at"] is not None
    assert job["position"] is None
    assert [one["status"] for one in job["stages"]] == sorted(
        (one["status"] for one in job["stages"]), key=["done", "now", "later"].index
    )


def test_a_failed_job_tells_why_in_the_words_of_the_page(program: Client, upload: Upper) -> None:
    row = upload(State.FAILED, error_code="not-audio", error_detail="secret: /a/path")
    response = program.get(url(row))
    failure = response.json()["failure"]
    assert failure["code"] == "not-audio"
    assert failure["title"] == str(TEXTS["not-audio"].title)
    assert failure["can_be_tried_again"] is False
    assert "secret" not in response.content.decode()


def test_the_list_holds_only_the_own_uploads_newest_first(
    program: Client, upload: Upper, stranger: Any
) -> None:
    upload(original_name="older", created_at=timezone.now() - timedelta(hours=1))
    upload(State.FAILED, original_name="newer")
    upload(owner=stranger)
    told = program.get("/api/v1/uploads").json()
    assert [job["name"] for job in told["items"]] == ["newer", "older"]
    assert (told["count"], told["page"], told["pages"]) == (2, 1, 1)


def test_a_page_beyond_the_last_one_is_empty(program: Client, upload: Upper) -> None:
    upload()
    told = program.get("/api/v1/uploads?page=2").json()
    assert (told["items"], told["count"]) == ([], 1)


# --- the result ----------------------------------------------------------------------------


def test_the_result_names_the_matches_closest_first(
    program: Client, answered: Upload, tracks: list[Track]
) -> None:
    reason = {"code": "tempo", "yours": 110.5, "theirs": 121, "strength": 0.8}
    answered.matches.filter(rank=1).update(reasons=[reason])
    job = program.get(url(answered)).json()
    result = program.get(job["result_url"]).json()
    first, *others = result["matches"]
    assert (first["rank"], first["track"]["title"], first["score"]) == (1, "Piece 0", 60.0)
    assert first["grade"] == "close"
    assert first["spans"] == [{"query": [12.0, 18.0], "match": [2.0, 8.0]}]
    words = "Nearly the same tempo (110 and 121 beats a minute)"
    assert first["reasons"] == [{**reason, "text": words}]
    assert [match["track"]["id"] for match in others] == [tracks[1].pk, tracks[2].pk]
    assert (result["model_version"], result["duration"]) == ("first", 20.0)


def test_every_url_of_a_result_leads_somewhere(program: Client, answered: Upload) -> None:
    program.force_login(answered.owner)
    job = program.get(url(answered)).json()
    result = program.get(job["result_url"]).json()
    track = result["matches"][0]["track"]
    for address in (job["page_url"], result["job_url"], track["url"], track["page_url"]):
        assert program.get(address).status_code == 200
    response = program.get(track["audio_url"])
    response.close()
    assert response.status_code == 200


@pytest.mark.parametrize("state", [State.QUEUED, *RUNNING])
def test_there_is_no_result_before_the_job_has_ended(
    program: Client, upload: Upper, state: State
) -> None:
    response = program.get(url(upload(state), "/result"))
    assert (response.status_code, code_of(response)) == (409, "not-finished")
    assert response["Retry-After"] == "1"


@pytest.mark.parametrize("code", ["not-audio", "worker-lost", "brand-new"])
def test_a_failed_job_has_its_code_for_a_result(program: Client, upload: Upper, code: str) -> None:
    response = program.get(url(upload(State.FAILED, error_code=code), "/result"))
    assert (response.status_code, code_of(response)) == (409, code)


# --- deleting ------------------------------------------------------------------------------


def test_deleting_takes_the_row_and_the_file(
    program: Client, answered: Upload, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = program.delete(url(answered))
    assert (response.status_code, response.content) == (204, b"")
    assert not Upload.objects.exists()
    assert not default_storage.exists(str(answered.audio))
    assert code_of(program.get(url(answered))) == "not-found"
