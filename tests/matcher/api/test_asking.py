"""Questions by the API: about an upload, and about tracks of the catalogue."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from matcher.models import State, Upload
from tests.matcher.api.conftest import Caller, code_of
from tests.matcher.conftest import Upper
from tracks.models import Track


def post(client: Client, path: str, question: Any = None, **headers: str) -> Any:
    return client.post(
        f"/api/v1{path}", question or {}, content_type="application/json", headers=headers
    )


def ask(client: Client, upload: Upload, question: Any = None, **headers: str) -> Any:
    return post(client, f"/uploads/{upload.pk}/ask", question, **headers)


def test_a_question_about_an_upload_becomes_a_job_of_its_own(
    program: Client, answered: Upload
) -> None:
    asked = {"span": [4, 14.5], "filters": {"genre": "ambient", "tempo_from": 90}}
    response = ask(program, answered, asked)
    job = response.json()
    assert (response.status_code, response["Location"]) == (202, job["url"])
    assert (job["state"], job["parent"], job["size"]) == ("QUEUED", str(answered.pk), 0)
    assert job["question"] == asked
    assert Upload.objects.get(pk=job["id"]).owner == answered.owner


def test_what_a_track_sounds_like_is_asked_without_a_file(
    program: Client, tracks: list[Track]
) -> None:
    first, second, third = tracks
    response = post(
        program, f"/tracks/{first.pk}/similar", {"like": [second.pk], "unlike": [third.pk]}
    )
    assert response.status_code == 202
    asked = Upload.objects.get().question
    assert asked == {"like": [first.pk, second.pk], "unlike": [third.pk]}


def test_a_question_with_a_key_is_asked_once(program: Client, answered: Upload) -> None:
    first, again = (ask(program, answered, **{"Idempotency-Key": "q"}) for _ in range(2))
    assert first.content == again.content
    assert Upload.objects.count() == 2
    assert code_of(ask(program, answered, {"like": []}, **{"Idempotency-Key": "q"})) == "key-reused"


def test_nobody_asks_about_an_upload_of_somebody_else(
    caller: Caller, stranger: Any, answered: Upload
) -> None:
    assert code_of(ask(caller(stranger), answered)) == "not-found"


@pytest.mark.parametrize("path", ["/uploads/{}/ask", "/tracks/1/similar"])
def test_asking_needs_the_scope_match(
    caller: Caller, owner: Any, answered: Upload, path: str
) -> None:
    assert code_of(post(caller(owner, "read"), path.format(answered.pk))) == "scope-missing"


def test_an_upload_under_way_cannot_be_asked_about_yet(program: Client, upload: Upper) -> None:
    response = ask(program, upload(State.DECODING))
    assert (response.status_code, code_of(response)) == (409, "not-ended")


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"span": [14, 4]}, "bad-span"),
        ({"span": [4, 5]}, "short-span"),
        ({"filters": {"tempo_from": 120, "tempo_to": 90}}, "bad-filters"),
    ],
)
def test_a_question_without_sense_is_refused_with_the_code_of_the_page(
    program: Client, answered: Upload, question: Any, code: str
) -> None:
    response = ask(program, answered, question)
    assert (response.status_code, code_of(response)) == (422, code)
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ({"span": [1]}, "body.question.span"),
        ({"filters": {"tempo_from": -1}}, "body.question.filters.tempo_from"),
        ({"filters": {"colour": "red"}}, "body.question.filters.colour"),
        ({"speed": 3}, "body.question.speed"),
        ({"like": ["x"]}, "body.question.like.0"),
    ],
)
def test_a_question_of_the_wrong_form_is_refused_with_where_it_is_wrong(
    program: Client, answered: Upload, question: Any, where: str
) -> None:
    response = ask(program, answered, question)
    assert code_of(response) == "invalid"
    assert response.json()["errors"][0]["where"] == where


def test_a_track_that_is_not_there_is_named(program: Client, tracks: list[Track]) -> None:
    response = post(program, f"/tracks/{tracks[0].pk}/similar", {"unlike": [10**9]})
    assert code_of(response) == "not-found"
    assert response.json()["tracks"] == [10**9]
    assert code_of(post(program, f"/tracks/{10**9}/similar")) == "not-found"


def test_a_body_that_is_no_json_is_refused(program: Client, answered: Upload) -> None:
    address = f"/api/v1/uploads/{answered.pk}/ask"
    response = program.post(address, "{", content_type="application/json")
    assert (response.status_code, code_of(response)) == (400, "unreadable")
