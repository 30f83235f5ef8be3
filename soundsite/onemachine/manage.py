"""script/manage: manage.py with the servers that run already, or with some for the time being."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from soundsite.embedded import child
from soundsite.embedded.errors import InUse
from soundsite.onemachine import stores
from soundsite.onemachine.folder import Folder, chosen
from soundsite.onemachine.terminal import await_true


def main(root: Path, arguments: list[str]) -> int:
    folder = Folder.make(chosen(root))
    with _servers(folder):
        command = [sys.executable, str(root / "manage.py"), *arguments]
        line = child.command(command, on_orphan="TERM", owner=os.getpid())
        return subprocess.run(line, env=stores.environment(root, folder), check=False).returncode


@contextmanager
def _servers(folder: Folder) -> Iterator[None]:
    """Whoever comes first starts the servers, and stops them when the last guest has left."""
    with ExitStack() as stack:
        try:
            stack.enter_context(folder.taken("script/manage"))
        except InUse:
            stack.enter_context(folder.joined())
            failure = f"The servers of {folder.path} did not come up within 60 s."
            await_true(folder.running.exists, 60, failure)
            yield
            return
        stack.enter_context(stores.running(folder))
        yield
        folder.await_guests()
