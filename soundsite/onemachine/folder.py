"""The data folder: who has it, what is written down in it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from soundsite.embedded import private
from soundsite.embedded.errors import InUse


def chosen(root: Path, data: str | None = None) -> Path:
    """--data (from where the person is), else SOUNDSITE_DATA (from the project), else var/."""
    if data:
        return Path(data).expanduser().resolve()
    return root / Path(os.environ.get("SOUNDSITE_DATA") or "var").expanduser()


@dataclass(frozen=True)
class Folder:
    """`path` holds the database, the broker's file, the media, the logs and the passwords."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Folder:
        """Open to other users only at the top (the database may run as `nobody`), not below."""
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(0o755)
        folder = cls(path.resolve())
        for name in ("logs", "media", "numba"):
            (folder.path / name).mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def ready(self) -> Path:
        """For scripts: where the site is and who may sign in, while it runs."""
        return self.path / "ready.json"

    @property
    def running(self) -> Path:
        """The URLs of the embedded servers, while they run."""
        return self.path / "running.json"

    def passwords(self) -> dict[str, str]:
        names = ("secret_key", "postgres", "valkey", "supervisor")
        return private.passwords(self.path / "secrets.json", names)

    def accounts(self) -> Path:
        """The sign-in of the two demo accounts, in a file that only we may read."""
        path = self.path / "accounts.json"
        made = private.passwords(path, ("password", "admin_password"), length=12)
        if "user" not in made:
            private.write_json(path, {"user": "demo", "admin_user": "admin", **made})
        return path

    @contextmanager
    def taken(self, by: str) -> Iterator[None]:
        """Holds the folder for this process; raises InUse if another one has it."""
        with self._locked("lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            private.write(self.path / "owner", by)
            for name in (self.ready, self.running):
                name.unlink(missing_ok=True)
            try:
                yield
            finally:
                for name in (self.ready, self.running):
                    name.unlink(missing_ok=True)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """While this lasts, an owner that waits for its guests does not stop the servers."""
        with self._locked("guests", fcntl.LOCK_SH):
            yield

    def await_guests(self) -> None:
        with self._locked("guests", fcntl.LOCK_EX):
            pass

    def urls(self) -> dict[str, str] | None:
        try:
            found: dict[str, str] = json.loads(self.running.read_text())
        except FileNotFoundError:
            return None
        return found

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        handle = os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock(handle, how)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int, how: int) -> None:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError as error:
            owner = self.path / "owner"
            name = owner.read_text() if owner.exists() else "another command"
            raise InUse(f"{self.path} is in use by {name} already.") from error
