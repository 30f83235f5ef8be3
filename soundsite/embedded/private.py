"""Files that only their owner may read, and the passwords in them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Replaces the file in one step; its mode is 600 from the first byte."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def write_json(path: Path, values: Mapping[str, object]) -> None:
    write(path, json.dumps(values, indent=2) + "\n")


def passwords(path: Path, names: Iterable[str], length: int = 24) -> dict[str, str]:
    """The random words kept in `path` under `names`; what is missing is made and kept."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {name: secrets.token_urlsafe(length) for name in names if name not in kept}
    if made:
        write_json(path, kept | made)
    return kept | made
