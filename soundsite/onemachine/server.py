"""script/server: everything a fresh machine needs, then the site, until it is stopped."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from soundsite.embedded import child, ports, private
from soundsite.embedded.errors import StartError
from soundsite.onemachine import programs, stores
from soundsite.onemachine.folder import Folder, chosen
from soundsite.onemachine.supervision import Supervisor, follow, supervised
from soundsite.onemachine.terminal import await_true, say, step

FIRST_PACKAGES = "8"


def main(root: Path, arguments: list[str]) -> int:
    options = _options(arguments)
    folder = Folder.make(chosen(root, options.data))
    port = _port(options.port)
    with folder.taken(f"script/server (process {os.getpid()})"):
        try:
            _serve(root, folder, port, demo=options.demo)
        except KeyboardInterrupt:
            return 0
    raise AssertionError("the site runs until it is stopped")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/server", description="Set up and run the site.")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default 8000)")
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="no demo catalogue")
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (default var/)")
    return parser.parse_args(arguments)


def _port(asked: int) -> int:
    if asked and not ports.is_free(asked):
        raise StartError(f"Port {asked} is in use; choose another one with --port (0: any).")
    return asked or ports.free()


def _serve(root: Path, folder: Folder, port: int, *, demo: bool) -> None:
    chosen_stores = stores.prepare(folder)
    environment = stores.environment(root, folder, chosen_stores)
    password, control = folder.passwords()["supervisor"], ports.free()
    text = programs.configuration(
        folder.path,
        control,
        password,
        programs.store_programs(chosen_stores),
        programs.site_programs(root, port),
    )
    with supervised(folder.path, text, control, password, environment) as supervisor:
        with step("Starting the database and the broker"):
            chosen_stores.await_ready()
        private.write_json(folder.running, chosen_stores.urls())
        with step("Preparing the database and the model"):
            _manage(root, environment, "set_up", str(folder.accounts()))
        supervisor.start("web", *(f"worker-{queue}" for queue in programs.QUEUES), "beat")
        with step("Starting the site"):
            await_true(lambda: _healthy(supervisor, port), 150, "The site did not answer in 150 s.")
        if demo:
            _first_catalogue(root, folder, environment)
        _announce(folder, port)
        if demo:
            supervisor.start("catalogue")
        follow(supervisor, folder.path / "logs" / "catalogue.log")


def _manage(root: Path, environment: dict[str, str], *arguments: str) -> None:
    """Runs a command of manage.py that speaks on our error stream. Raises StartError."""
    line = [sys.executable, str(root / "manage.py"), *arguments]
    command = child.command(line, on_orphan="TERM", owner=os.getpid())
    done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise StartError(f"manage.py {arguments[0]} failed; see the lines above.")


def _healthy(supervisor: Supervisor, port: int) -> bool:
    if not supervisor.alive():
        raise StartError("supervisord ended; see logs/supervisord.log.")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _first_catalogue(root: Path, folder: Folder, environment: dict[str, str]) -> None:
    """The smallest packages, once: a new site has something to compare with when it is Ready."""
    done = folder.path / "first-catalogue"
    if done.exists():
        return
    say("Fetching the first part of the demo catalogue")
    _manage(root, environment, "demo_catalogue", "--first", FIRST_PACKAGES)
    _manage(root, environment, "await_index")
    done.touch()


def _announce(folder: Folder, port: int) -> None:
    accounts = json.loads(folder.accounts().read_text())
    url = f"http://127.0.0.1:{port}"
    private.write_json(folder.ready, {"url": url, **accounts})
    print(f"Ready: {url}")
    print(f"Sign in as {accounts['user']} with the password {accounts['password']}")
    print(
        f"or as the administrator {accounts['admin_user']} "
        f"with the password {accounts['admin_password']}",
        flush=True,
    )
