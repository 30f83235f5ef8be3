"""The database and the broker: embedded ones, or those of DATABASE_URL and REDIS_URL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from soundsite.embedded import child, places, ports, postgres, private
from soundsite.embedded.postgres import Postgres
from soundsite.embedded.valkey import Valkey
from soundsite.onemachine.folder import Folder
from soundsite.onemachine.terminal import await_true, say, step

START_SECONDS = 60


@dataclass(frozen=True)
class Stores:
    """None stands for a server of the environment's, which is not ours to start."""

    postgres: Postgres | None
    valkey: Valkey | None

    def urls(self) -> dict[str, str]:
        embedded = {"DATABASE_URL": self.postgres, "REDIS_URL": self.valkey}
        return {name: store.url if store else os.environ[name] for name, store in embedded.items()}

    def await_ready(self) -> None:
        for store in (self.postgres, self.valkey):
            if store:
                name = type(store).__name__
                failure = f"{name} did not start within {START_SECONDS} s; see its log in logs/."
                await_true(store.is_ready, START_SECONDS, failure)


def prepare(folder: Folder) -> Stores:
    """Makes what is missing for the servers that are to be embedded; starts nothing."""
    passwords = folder.passwords()
    database = broker = None
    if not os.environ.get("DATABASE_URL"):
        place = places.choose(folder.path, *postgres.installed())
        if place.moved:
            say(
                f"The database lies in {place.data.parent}, because its user {place.user} may "
                "not enter a folder above the project or its data."
            )
        database = Postgres(place, ports.free(), passwords["postgres"])
        if database.is_new():
            with step("Making the database"):
                database.initialise()
        database.check_version()
        left = f"A server still runs on {place.data}; end it first."
        await_true(lambda: not database.is_left_over(), 20, left)
    if not os.environ.get("REDIS_URL"):
        broker = Valkey(folder.path / "valkey", ports.free(), passwords["valkey"])
        broker.initialise()
    return Stores(database, broker)


def environment(root: Path, folder: Folder, stores: Stores | None = None) -> dict[str, str]:
    """What manage.py, gunicorn and Celery need to find each other."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "DJANGO_SETTINGS_MODULE"}
    kept = {k: v for k, v in postgres.clean_environment().items() if k not in dropped}
    urls = stores.urls() if stores else (folder.urls() or {})
    secret = {"SECRET_KEY": kept.get("SECRET_KEY") or folder.passwords()["secret_key"]}
    return {**kept, **secret, **urls, "SOUNDSITE_DATA": str(folder.path), "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(folder: Folder, *, durable: bool = True) -> Iterator[Stores]:
    """The servers for the length of a command; they die with this process in any case."""
    stores = prepare(folder)
    with ExitStack() as stack:
        if stores.postgres:
            line = stores.postgres.command(durable=durable)
            user = stores.postgres.place.user
            stack.enter_context(_started(folder, "postgres", line, "INT", user))
        if stores.valkey:
            stack.enter_context(_started(folder, "valkey", stores.valkey.command(), "TERM"))
        stores.await_ready()
        private.write_json(folder.running, stores.urls())
        yield stores


@contextmanager
def _started(
    folder: Folder, name: str, line: list[str], stop: str, user: str | None = None
) -> Iterator[None]:
    command = child.command(line, user=user, on_orphan=stop, owner=os.getpid())
    with (folder.path / "logs" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate() if stop == "TERM" else process.send_signal(2)
        try:
            process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
