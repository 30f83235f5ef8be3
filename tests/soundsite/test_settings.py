from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from soundsite import environment as read

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_the_variable() -> None:
    environment = {**os.environ, "UPLOAD_MAX_BYTES": "100 MB"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "UPLOAD_MAX_BYTES must be a whole number of at least 1, not '100 MB'." in last


def test_a_missing_secret_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY must be set"):
        read.text("SECRET_KEY")


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("hidden\n")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(secret))
    assert read.text("SECRET_KEY") == "hidden"
    monkeypatch.setenv("SECRET_KEY", "other")
    with pytest.raises(ImproperlyConfigured, match="only one may be set") as refused:
        read.text("SECRET_KEY")
    assert "hidden" not in str(refused.value)


def test_a_secret_that_may_be_missing_can_lie_in_a_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    assert read.optional("METRICS_TOKEN") == ""
    (tmp_path / "token").write_text("hidden\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "token"))
    assert read.optional("METRICS_TOKEN") == "hidden"


def test_a_file_that_cannot_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE must name a readable file"):
        read.text("SECRET_KEY")


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "many", "１２"])
def test_a_number_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SWEEP_SECONDS", value)
    with pytest.raises(ImproperlyConfigured, match="SWEEP_SECONDS must be a whole number"):
        read.whole_number("SWEEP_SECONDS", default=15)


@pytest.mark.parametrize(("value", "meant"), [("yes", True), ("0", False), ("OFF", False)])
def test_a_flag_is_read_in_the_usual_words(
    monkeypatch: pytest.MonkeyPatch, value: str, meant: bool
) -> None:
    monkeypatch.setenv("DEBUG", value)
    assert read.flag("DEBUG", default=not meant) is meant


def test_a_flag_that_is_neither_true_nor_false_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="DEBUG must be true or false, not 'perhaps'"):
        read.flag("DEBUG", default=False)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("mysql://someone:hidden@host/name", "must start with postgres://, not 'mysql://'"),
        ("someone:hidden@host/name", "must start with postgres://"),
        ("postgres://someone:hidden@host:5432", "must name a database"),
        ("postgres://someone:hidden@host:port/name", "is not a database URL"),
    ],
)
def test_a_wrong_database_url_is_refused_without_showing_its_password(
    monkeypatch: pytest.MonkeyPatch, value: str, complaint: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
        read.postgres("DATABASE_URL")
    assert "hidden" not in str(refused.value)


def test_a_database_url_has_options_of_its_own_beside_those_that_notice_a_lost_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "postgres://someone:hidden@host/name?sslmode=require&keepalives_idle=7"
    monkeypatch.setenv("DATABASE_URL", url)
    options = read.postgres("DATABASE_URL")["OPTIONS"]
    assert (options["sslmode"], options["keepalives_idle"]) == ("require", 7)
    assert "tcp_keepalives_idle=10" in options["options"]


def test_a_broker_that_is_not_redis_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "amqp://guest:hidden@localhost")
    with pytest.raises(ImproperlyConfigured, match="must start with redis://, not 'amqp://'"):
        read.redis("REDIS_URL")


@pytest.mark.parametrize("value", ["soundsite.example", "ftp://soundsite.example", "https://a/b"])
def test_an_origin_without_scheme_or_with_a_path_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CSRF_TRUSTED_ORIGINS", f"https://good.example,{value}")
    with pytest.raises(ImproperlyConfigured, match="must list origins"):
        read.origins("CSRF_TRUSTED_ORIGINS")


def test_a_relative_folder_is_taken_from_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDSITE_DATA", "elsewhere")
    assert read.folder("SOUNDSITE_DATA", Path("/unused"), base=Path("/srv")) == Path(
        "/srv/elsewhere"
    )


def test_an_unknown_email_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "pigeon://someone:hidden@host")
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must be") as refused:
        read.email("EMAIL_URL", default="consolemail://")
    assert "hidden" not in str(refused.value)


def test_the_readme_lists_every_setting_and_no_other() -> None:
    import soundsite.settings  # noqa: F401  reads them all

    table = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([A-Z0-9_]+)`", table, flags=re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == read.documented
