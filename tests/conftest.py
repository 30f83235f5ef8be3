"""The people of the tests, by name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.waiting import wait_until as wait_until


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
