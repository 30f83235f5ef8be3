"""Typed, loud readers of environment variables.

Every reader raises ImproperlyConfigured with a sentence that names the variable, what was
expected and what was found. `documented` keeps the names that were read, so that a test can
hold the table in the README against them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

# Either side notices within half a minute that the other's host is gone; by default it takes hours,
# for which a row that a lost worker had locked stays locked.
_NOTICE_LOST_HOSTS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 "
    "-c tcp_keepalives_count=3 -c tcp_user_timeout=30000",
}

env = environ.Env()
documented: set[str] = set()


def text(name: str, default: str = "") -> str:
    """The same as `optional`, but not empty; without a default the variable is required."""
    value = optional(name, default)
    if not value:
        raise ImproperlyConfigured(f"{name} must be set (see the table of settings in README.md).")
    return value


def optional(name: str, default: str = "") -> str:
    """A string that may be empty.

    It may lie in a file that NAME_FILE names, as secrets do that a container is handed.
    """
    documented.add(name)
    file: str = env.str(f"{name}_FILE", default="").strip()
    if file and env.str(name, default="").strip():
        raise ImproperlyConfigured(f"Of {name} and {name}_FILE only one may be set.")
    said = _content(f"{name}_FILE", Path(file)) if file else env.str(name, default=default)
    return str(said).strip()


def _content(name: str, file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{name} must name a readable file, not {str(file)!r}."
        ) from error


def flag(name: str, default: bool) -> bool:
    """true/false, yes/no, on/off, 1/0; anything else is refused rather than taken for false."""
    documented.add(name)
    value: str = env.str(name, default="").strip().lower()
    if not value:
        return default
    if value in ("true", "yes", "on", "1"):
        return True
    if value in ("false", "no", "off", "0"):
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def whole_number(name: str, default: int, minimum: int = 1) -> int:
    documented.add(name)
    value: str = env.str(name, default="").strip()
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or int(value) < minimum:
        raise ImproperlyConfigured(
            f"{name} must be a whole number of at least {minimum}, not {value!r}."
        )
    return int(value)


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default).upper()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def names(name: str, default: str = "") -> list[str]:
    """A list of words separated by commas; may be empty."""
    documented.add(name)
    value: str = env.str(name, default=default)
    return [word.strip() for word in value.split(",") if word.strip()]


def origins(name: str) -> list[str]:
    """Web origins such as https://soundsite.example, separated by commas; may be empty."""
    found = names(name)
    for word in found:
        if not _is_origin(word):
            raise ImproperlyConfigured(
                f"{name} must list origins such as https://soundsite.example, not {word!r}."
            )
    return found


def origin(name: str) -> str:
    """One web origin such as https://store.example:9000; may be empty."""
    found = optional(name).rstrip("/")
    if found and not _is_origin(found):
        raise ImproperlyConfigured(
            f"{name} must be an origin such as https://store.example:9000, not {found!r}."
        )
    return found


def _is_origin(word: str) -> bool:
    parts = urlsplit(word)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not parts.path


def folder(name: str, default: Path, base: Path) -> Path:
    """A folder's absolute path; a relative one is taken from `base`."""
    documented.add(name)
    value: str = env.str(name, default="").strip()
    return (base / Path(value).expanduser()).resolve() if value else default


def postgres(name: str) -> dict[str, Any]:
    """Django's DATABASES entry from a URL such as postgres://user:password@host:5432/name."""
    value = text(name)
    if urlsplit(value).scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"{name} must start with postgres://, not {_scheme(value)!r}.")
    try:
        entry: dict[str, Any] = dict(env.db_url_config(value))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a database URL: {error}.") from error
    if not entry.get("NAME"):
        raise ImproperlyConfigured(f"{name} must name a database after the host.")
    entry["OPTIONS"] = {**_NOTICE_LOST_HOSTS, **entry.get("OPTIONS", {})}
    return entry


def redis(name: str) -> str:
    """The URL of the broker, redis:// or rediss://."""
    value = text(name)
    if urlsplit(value).scheme not in ("redis", "rediss"):
        raise ImproperlyConfigured(f"{name} must start with redis://, not {_scheme(value)!r}.")
    return value


def email(name: str, default: str) -> dict[str, Any]:
    """Django's EMAIL_* settings from a URL such as smtp+tls://user:password@host:587."""
    value = text(name, default)
    try:
        return dict(env.email_url_config(value))
    except (KeyError, ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(
            f"{name} must be consolemail:// or an smtp:// URL, not {_scheme(value)!r}."
        ) from error


def _scheme(value: str) -> str:
    """The part of a URL that holds no password and may stand in a message."""
    return value.split("://", 1)[0] + "://" if "://" in value else "a value without ://"
