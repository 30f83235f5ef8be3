"""How often one may ask. The clock is the database's: a test turns it by moving the row's time."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from matcher.api import rates
from matcher.api.models import Rate
from tests.matcher.api.conftest import Caller, code_of, send


@pytest.fixture
def _three(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    settings.API_ANONYMOUS_REQUESTS_PER_MINUTE = 2


def ask(client: Client, count: int) -> list[int]:
    return [client.get("/api/v1/tracks").status_code for _ in range(count)]


def earlier(seconds: float) -> None:
    """As if so many seconds had passed since the last requests."""
    Rate.objects.update(spent_at=F("spent_at") - timedelta(seconds=seconds))


@pytest.mark.usefixtures("_three")
def test_a_token_has_its_allowance_and_no_more(program: Client) -> None:
    assert ask(program, 4) == [200, 200, 200, 429]
    response = program.get("/api/v1/tracks")
    assert code_of(response) == "too-many-requests"
    assert 18 <= int(response["Retry-After"]) <= 20
    assert response["RateLimit-Policy"] == '"token";q=3;w=60'
    assert re.fullmatch(r'"token";r=0;t=(5\d|60)', response["RateLimit"])


@pytest.mark.usefixtures("_three")
def test_every_answer_says_what_is_left(program: Client) -> None:
    left = [program.get(f"/api/v1/{path}")["RateLimit"] for path in ("tracks", "nothing")]
    assert [told.partition(";t")[0] for told in left] == ['"token";r=2', '"token";r=1']
    assert "Retry-After" not in program.get("/api/v1/tracks")


@pytest.mark.usefixtures("_three")
def test_the_allowance_comes_back_evenly(program: Client) -> None:
    ask(program, 3)
    earlier(20.5)
    assert ask(program, 2) == [200, 429]
    earlier(60)
    assert ask(program, 4) == [200, 200, 200, 429]


@pytest.mark.usefixtures("_three")
def test_asking_in_vain_does_not_make_it_longer(program: Client) -> None:
    ask(program, 30)
    earlier(20.5)
    assert ask(program, 1) == [200]


@pytest.mark.usefixtures("_three")
def test_a_request_that_is_refused_does_nothing(program: Client) -> None:
    ask(program, 3)
    response = send(program)
    assert response.status_code == 429
    assert program.get("/uploads/").status_code == 302  # the pages are not limited


@pytest.mark.usefixtures("_three")
def test_each_token_and_each_address_has_its_own(
    program: Client, caller: Caller, stranger: Any, client: Client
) -> None:
    assert ask(program, 4)[-1] == 429
    assert ask(caller(stranger), 3) == [200, 200, 200]
    assert ask(client, 3) == [200, 200, 429]
    assert client.get("/api/v1/tracks", REMOTE_ADDR="192.0.2.7").status_code == 200


@pytest.mark.usefixtures("_three")
def test_guessing_secrets_is_limited_by_address(client: Client, db: None) -> None:
    guesses = [
        client.get("/api/v1/tracks", headers={"Authorization": f"Bearer {number}"}).status_code
        for number in range(3)
    ]
    assert guesses == [401, 401, 429]


@pytest.mark.django_db(transaction=True)
def test_processes_that_ask_at_once_share_one_allowance(settings: Any) -> None:
    settings.API_ANONYMOUS_REQUESTS_PER_MINUTE = 20

    def spend(_: int) -> bool:
        try:
            return rates.spend(None, "192.0.2.1").granted
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(spend, range(60)))
    assert 20 <= sum(granted) <= 22  # a slow machine lets one or two leak
