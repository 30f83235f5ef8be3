"""The people of the tests, by name, and what is said where there is no browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import translation

from benchmarks.browser import CHROMIUM
from benchmarks.site import wait_until as wait_until
from tests.stores import Store, running_store

NO_CHROMIUM = "there is no Chromium here"


def pytest_configure() -> None:
    """Each process of tests has a broker's database of its own: tests count its messages."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        url = f"{settings.REDIS_URL.rpartition('/')[0]}/{1 + int(worker.removeprefix('gw'))}"
        settings.REDIS_URL = settings.CELERY_BROKER_URL = os.environ["REDIS_URL"] = url
        current_app.conf.broker_url = url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Live tests go first, as they take longest; those of one file stay in one process.

    Without Chromium the tests in a browser are left out; with CI set they run, and fail.
    """
    items.sort(key=lambda item: item.get_closest_marker("live") is None)
    for item in items:
        if item.get_closest_marker("browser") and not (CHROMIUM or os.environ.get("CI")):
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = [report.nodeid for report in skipped if NO_CHROMIUM in str(report.longrepr)]
    if left_out:
        terminalreporter.section("NO CHROMIUM: TESTED WITHOUT A BROWSER", red=True, bold=True)
        for name in left_out:
            terminalreporter.line(f"LEFT OUT {name}", red=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """PostgreSQL notices late that a process which a test killed is gone; its session would keep
    the test database from being dropped."""
    yield
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


@pytest.fixture(autouse=True)
def _no_language_is_left() -> Iterator[None]:
    """A request in German leaves German behind in the thread that asked."""
    yield
    translation.deactivate()


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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Store]:
    with running_store() as store:
        yield store


@pytest.fixture
def s3(s3_server: Store, settings: Any) -> Iterator[Store]:
    """Media lie on a store that speaks S3, which is empty."""
    s3_server.empty()  # of what tests left that ask the server alone
    settings.STORAGES = s3_server.storages(settings)
    yield s3_server
    s3_server.empty()


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
