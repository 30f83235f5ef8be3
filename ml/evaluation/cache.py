"""What was heard is kept: one SQLite file of described sounds, so that a second run is quick."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self


def default_folder() -> Path:
    """The user's cache folder for Soundsite, by the XDG convention."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "soundsite"


def source_digest(modules: Iterable[ModuleType]) -> str:
    """Digest of the modules' source files: new code must not meet what the old one heard."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


class Cache:
    """A mapping from text keys to bytes that outlives the process. One writer at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / "evaluation.sqlite3", timeout=60)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS heard (key TEXT PRIMARY KEY, value BLOB NOT NULL)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def __contains__(self, key: str) -> bool:
        found = self._database.execute("SELECT 1 FROM heard WHERE key = ?", (key,))
        return found.fetchone() is not None

    def __getitem__(self, key: str) -> bytes:
        row = self._database.execute("SELECT value FROM heard WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def put_all(self, entries: Mapping[str, bytes]) -> None:
        """Keep all entries at once, in the place of older ones."""
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO heard (key, value) VALUES (?, ?)", entries.items()
            )
