"""The browsers in which somebody is signed in, by names that people know."""

from __future__ import annotations

import pytest
from django.test import Client

from matcher.templatetags.browsers import browser

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36", "Chrome, Windows"),
        (f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge, Windows"),
        (f"{PHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_browser_is_named_as_people_name_it(user_agent: str, name: str) -> None:
    assert browser(user_agent) == name


def test_the_list_of_sessions_names_the_browser(client: Client, owner: object) -> None:
    agent = f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36"
    words = {"login": "olivia", "password": "owners-pass-1"}
    client.post("/accounts/login/", words, headers={"User-Agent": agent})
    page = client.get("/accounts/sessions/", headers={"User-Agent": agent}).content.decode()
    assert "Chrome, Windows" in page
    assert "Mozilla" not in page
