"""The place in the queue, how long it takes, and what following it costs."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from matcher import jobs, waits
from matcher.models import State, Upload
from matcher.waits import Place
from tests.matcher.api.conftest import caller as caller
from tests.matcher.api.conftest import program as program
from tests.matcher.conftest import Upper
from tests.matcher.test_jobs import ago


def waiting(owner: Any, number: int, since: float = 60) -> list[Upload]:
    """So many rows of that owner, a millisecond apart, without files."""
    rows = [
        Upload(owner=owner, queued_at=ago(since - n / 1000), original_name="x", audio="x", size=1)
        for n in range(number)
    ]
    return Upload.objects.bulk_create(rows)


def people(number: int) -> list[Any]:
    users = get_user_model().objects
    return [users.create_user(f"person {n}") for n in range(number)]


def claims(number: int) -> list[Upload]:
    return [one for _ in range(number) if (one := jobs.claim()) is not None]


@pytest.mark.parametrize("history", [0, 30], ids=["new", "served often"])
def test_five_hundred_uploads_of_one_delay_a_single_one_of_another_by_one_job_at_most(
    upload: Upper, owner: Any, stranger: Any, history: int
) -> None:
    for n in range(history):
        upload(State.FINISHED, owner=stranger, started_at=ago(300 - n))
    waiting(owner, 500)
    for already in (0, 1, 7):
        claims(already)
        single = waiting(stranger, 1, since=1)[0]
        assert single in claims(2)
    assert Upload.objects.filter(state=State.QUEUED, owner=owner).count() > 480


def test_each_person_with_hundreds_of_uploads_costs_a_single_one_a_job_at_most(
    upload: Upper, stranger: Any
) -> None:
    for one in people(5):
        waiting(one, 100)
    claims(12)
    upload(State.FINISHED, owner=stranger, started_at=ago(0))
    single = waiting(stranger, 1, since=1)[0]
    place = waits.place_of(single)
    assert place is not None
    assert place.before == 5
    assert single == claims(6)[-1]


@pytest.mark.parametrize("seed", range(3))
def test_the_places_foretell_the_order_of_the_claims(upload: Upper, seed: int) -> None:
    chance = random.Random(seed)
    for one in people(6):
        for _ in range(chance.randint(0, 2)):
            upload(State.FINISHED, owner=one, started_at=ago(chance.uniform(0, 1200)))
        waiting(one, chance.randint(0, 6), since=chance.uniform(1, 100))
    queue = list(Upload.objects.filter(state=State.QUEUED))
    foretold = {row.pk: waits.place_of(row) for row in queue}
    order = [row.pk for row in claims(len(queue))]
    places = [foretold[pk] for pk in order]
    assert [place.before for place in places if place] == list(range(len(queue)))


def test_the_wait_follows_from_the_last_jobs_and_those_side_by_side(upload: Upper) -> None:
    for n in range(4):
        upload(State.FINISHED, started_at=ago(100 + n), finished_at=ago(96 + n))
    for _ in range(2):
        upload(State.ENCODING)
    last = waiting(upload(State.ENCODING, heartbeat_at=ago(100)).owner, 6)[-1]
    place = waits.place_of(last)
    assert place is not None
    assert place.before == 5
    assert place.seconds == pytest.approx(4 * (6 / 2 + 1), abs=0.1)


@pytest.mark.parametrize(
    ("finished", "known"), [(5, True), (300, False)], ids=["just now", "five minutes ago"]
)
def test_of_a_wait_nothing_is_said_when_nobody_works(
    upload: Upper, finished: float, known: bool
) -> None:
    upload(State.FINISHED, started_at=ago(finished + 4), finished_at=ago(finished))
    place = waits.place_of(upload())
    assert place is not None
    assert (place.words != "") == known


def test_of_a_wait_nothing_is_said_before_the_first_job_has_ended(
    upload: Upper, owner_client: Client, program: Client
) -> None:
    upload(State.ENCODING)
    row = upload()
    page = owner_client.get(row.get_absolute_url()).content.decode()
    assert "Yours is next." in page
    assert "should be here" not in page
    told = program.get(f"/api/v1/uploads/{row.pk}").json()
    assert (told["position"], told["wait_seconds"]) == (1, None)


def test_the_page_and_the_api_tell_place_and_wait(
    upload: Upper, owner: Any, owner_client: Client, program: Client
) -> None:
    upload(State.FINISHED, started_at=ago(30), finished_at=ago(20))
    upload(State.ENCODING)
    row = waiting(owner, 13)[-1]
    page = owner_client.get(row.get_absolute_url()).content.decode()
    assert "About 10 files are before yours." in page
    assert "The answer should be here in about 2 minutes." in page
    told = program.get(f"/api/v1/uploads/{row.pk}").json()
    assert (told["position"], told["wait_seconds"]) == (13, 140)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (44, "less than a minute"),
        (46, "about 1 minute"),
        (130, "about 2 minutes"),
        (8 * 60, "about 10 minutes"),
        (13 * 60, "about 15 minutes"),
        (59.6 * 60, "about 1 hour"),
        (170 * 60, "about 3 hours"),
    ],
)
def test_a_wait_is_told_no_more_exactly_than_it_is_known(seconds: float | None, words: str) -> None:
    assert Place(3, seconds).words == words


def test_a_wait_is_told_in_german(upload: Upper) -> None:
    with translation.override("de"):
        assert Place(3, 61).words == "etwa 1 Minute"


@pytest.mark.parametrize(("before", "shown"), [(10, 10), (11, 10), (46, 50), (80, 100)])
def test_a_far_place_is_rounded(before: int, shown: int) -> None:
    assert Place(before).roughly == shown


# --- following -------------------------------------------------------------------------------


def seen(page: str) -> str:
    return page.partition("status/?seen=")[2].partition('"')[0]


def test_a_poll_is_answered_once_the_place_has_changed(
    upload: Upper, owner: Any, owner_client: Client
) -> None:
    row = waiting(owner, 3)[-1]
    word = seen(owner_client.get(row.get_absolute_url()).content.decode())
    poll = f"{row.get_absolute_url()}status/?seen={word}"
    assert owner_client.get(poll).status_code == 204
    claims(1)
    answer = owner_client.get(poll)
    assert answer.status_code == 200
    assert "1 file is before yours." in answer.content.decode()


def test_an_unchanged_poll_costs_three_short_queries(upload: Upper, owner_client: Client) -> None:
    row = upload(queued_at=ago(400))
    poll = f"{row.get_absolute_url()}status/?seen=QUEUED-10000-0-None"
    with CaptureQueriesContext(connection) as asked:
        assert owner_client.get(poll).status_code == 204
    assert len(asked) == 3  # the session, its user, the upload and its place
    assert not [name for name in Upload.BULKY if f'"{name}"' in str(asked.captured_queries)]


def test_a_page_far_back_in_the_queue_asks_every_ten_seconds_from_the_start(
    upload: Upper, owner: Any, owner_client: Client
) -> None:
    first, *_, last = waiting(owner, 40, since=5)
    assert (
        'hx-trigger="every 1000ms"' in owner_client.get(first.get_absolute_url()).content.decode()
    )
    assert (
        'hx-trigger="every 10000ms"' in owner_client.get(last.get_absolute_url()).content.decode()
    )
