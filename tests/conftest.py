"""The people of the tests, by name, and what is said where there is no browser."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from benchmarks.browser import CHROMIUM
from benchmarks.site import wait_until as wait_until

left_out: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium the tests in a browser are left out; with CI set they run, and fail."""
    if CHROMIUM or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="there is no Chromium here"))
            left_out.append(item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if left_out:
        terminalreporter.section("NO CHROMIUM: TESTED WITHOUT A BROWSER", red=True, bold=True)
        for name in left_out:
            terminalreporter.line(f"LEFT OUT {name}", red=True)


@pytest.fixture
def owner(db: None) -> Any:
    """The person whose upload a test is about."""
    return get_user_model().objects.create_user("olivia", "olivia@example.org", "owners-pass-1")


@pytest.fixture
def stranger(db: None) -> Any:
    """Signed up, but not the owner."""
    return get_user_model().objects.create_user("stefan", "stefan@example.org", "strangers-pass-1")


@pytest.fixture
def administrator(db: None) -> Any:
    return get_user_model().objects.create_superuser("ada", "ada@example.org", "admins-pass-1")


def _client(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def owner_client(owner: Any) -> Client:
    return _client(owner)


@pytest.fixture
def stranger_client(stranger: Any) -> Client:
    return _client(stranger)


@pytest.fixture
def administrator_client(administrator: Any) -> Client:
    return _client(administrator)
