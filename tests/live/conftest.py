"""One site for the live tests that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.site import Site, fresh_site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Without the demo catalogue."""
    with fresh_site() as started:
        yield started
