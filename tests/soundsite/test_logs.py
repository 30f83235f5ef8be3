"""What the console's filter takes out."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from soundsite.logs import WithoutSecrets


def logged(words: str, *arguments: Any) -> str:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, words, arguments, None)
    assert WithoutSecrets().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/s/abcDEF_1-2/audio/", "/s/…/audio/"),
        ("/accounts/confirm-email/Mg:1x:abc/", "/accounts/confirm-email/…/"),
        ("/accounts/password/reset/key/1-set-password/", "/accounts/password/reset/key/…/"),
        ("/uploads/new/", "/uploads/new/"),
    ],
)
def test_an_address_that_opens_something_is_not_logged(path: str, kept: str) -> None:
    assert logged("Not Found: %s", path) == f"Not Found: {kept}"
    assert logged(f'"GET {path}"') == f'"GET {kept}"'
