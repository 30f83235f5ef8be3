"""What browsers are told: where scripts and styles may come from, HTTPS, what is not sniffed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from matcher.api.models import Rate

ROOT = Path(__file__).resolve().parent.parent.parent

# docs/operations.md, "Production", says the same.
PRODUCTION = {
    "ALLOWED_HOSTS": "soundsite.example",
    "CSRF_TRUSTED_ORIGINS": "https://soundsite.example",
    "HTTPS_ONLY": "true",
    "HSTS_SECONDS": "31536000",
    "HSTS_PRELOAD": "true",
    "TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
}


def policy_of(client: Client, path: str) -> dict[str, str]:
    header = client.get(path)["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in header.split(";"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/catalogue/", "/api/v1/docs", "/accounts/login/", "/no/"])
def test_visitors_pages_allow_nothing_inline(client: Client, path: str) -> None:
    policy = policy_of(client, path)
    assert "unsafe" not in " ".join(policy.values())
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"


def test_the_administration_runs_no_inline_script_either(administrator_client: Client) -> None:
    policy = policy_of(administrator_client, "/admin/")
    assert policy["script-src"] == "'self' 'unsafe-eval'"


@pytest.mark.django_db
def test_every_page_says_what_it_does_not_need_and_where_it_is_not_named(client: Client) -> None:
    response = client.get("/")
    assert "camera=()" in response["Permissions-Policy"]
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


def manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DEBUG")
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "SOUNDSITE_DATA": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_production_example_passes_every_check_of_a_deployment(tmp_path: Path) -> None:
    secret = tmp_path / "secret-key"
    secret.write_text("a-production-secret-of-fifty-characters-and-0123456789\n")
    for name, value in PRODUCTION.items():
        assert f"{name}={value}" in (ROOT / "docs" / "operations.md").read_text()
    done = manage(
        tmp_path,
        *("check", "--deploy", "--fail-level", "WARNING"),
        **PRODUCTION,
        SECRET_KEY_FILE=str(secret),
    )
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


@pytest.fixture
def _behind_a_proxy(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 60


@pytest.mark.django_db
@pytest.mark.usefixtures("_behind_a_proxy")
def test_plain_http_is_sent_to_https_save_for_the_question_of_health(client: Client) -> None:
    plain = client.get("/")
    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/")
    asked = [client.get(f"/{name}").status_code for name in ("healthz", "readyz", "metrics")]
    assert asked == [200, 503, 404]  # there is neither a model nor a token
    secure = client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert secure.status_code == 200
    assert secure["Strict-Transport-Security"] == "max-age=60"


def addresses() -> set[str]:
    return {key.removeprefix("address:") for key in Rate.objects.values_list("key", flat=True)}


@pytest.mark.django_db
def test_who_forwards_is_believed_only_where_there_is_a_proxy(
    client: Client, settings: Any
) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
    client.get("/api/v1/tracks", headers=forwarded)
    assert addresses() == {"127.0.0.1"}
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client.get("/api/v1/tracks", headers=forwarded)
    assert addresses() == {"127.0.0.1", "192.0.2.7"}


@pytest.mark.django_db
def test_of_an_ipv6_address_the_network_counts(client: Client) -> None:
    for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"):
        client.get("/api/v1/tracks", REMOTE_ADDR=address)
    assert addresses() == {"2001:db8:1:2::"}
