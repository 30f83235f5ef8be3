"""The processes of the site, and the text that describes them to supervisord."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soundsite.embedded import child
from soundsite.onemachine.stores import Stores

QUEUES = ("match", "index", "train", "maintenance")


@dataclass(frozen=True)
class Program:
    """`stop` asks it to end, `on_orphan` is what it gets when supervisord itself is killed.

    A worker with a job in hand is not waited for: the sweep hands the job to the next one.
    """

    name: str
    command: list[str]
    directory: Path
    user: str | None = None
    stop: str = "TERM"
    on_orphan: str = "KILL"
    at_once: bool = False
    lasting: bool = True


def store_programs(stores: Stores) -> list[Program]:
    """The embedded servers, which run before anything else can."""
    programs = []
    if (database := stores.postgres) is not None:
        programs.append(
            Program(
                "postgres",
                database.command(),
                Path("/"),
                user=database.place.user,
                stop="INT",
                on_orphan="INT",
                at_once=True,
            )
        )
    if (broker := stores.valkey) is not None:
        programs.append(
            Program("valkey", broker.command(), Path("/"), on_orphan="TERM", at_once=True)
        )
    return programs


def site_programs(root: Path, port: int) -> list[Program]:
    """Web, workers, beat and the fetching of the demo catalogue's rest."""
    python = [sys.executable]
    # Its threads take turns anyway; with an arena each, they also keep what the others freed.
    web = ["env", "MALLOC_ARENA_MAX=1", *python, "-m", "gunicorn", "soundsite.wsgi"]
    web += ["--bind", f"127.0.0.1:{port}"]
    web += ["--workers", "2", "--worker-class", "gthread", "--threads", "4"]
    web += ["--graceful-timeout", "3", "--no-control-socket", "--preload"]
    celery = [*python, "-m", "celery", "-A", "soundsite"]
    worker = [*celery, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]
    catalogue = [*python, str(root / "manage.py"), "demo_catalogue"]
    return [
        Program("web", web, root),
        *(
            Program(f"worker-{queue}", [*worker, "-Q", queue, "-n", f"{queue}@%h"], root)
            for queue in QUEUES
        ),
        Program("beat", [*celery, "beat"], root),
        Program("catalogue", catalogue, root, lasting=False),
    ]


def configuration(
    folder: Path, port: int, password: str, stores: Sequence[Program], site: Sequence[Program]
) -> str:
    """supervisord's file. What is in a group stops together; the stores stop last."""
    head = {
        "supervisord": {
            "nodaemon": "true",
            "silent": "true",
            "logfile": str(folder / "logs" / "supervisord.log"),
            "childlogdir": str(folder / "logs"),
            "pidfile": str(folder / "supervisord.pid"),
            "user": str(os.geteuid()),
        },
        "inet_http_server": {
            "port": f"127.0.0.1:{port}",
            "username": "soundsite",
            "password": password,
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": ("supervisor.rpcinterface:make_main_rpcinterface"),
        },
    }
    groups = {
        f"group:{name}": {"programs": ",".join(p.name for p in group), "priority": priority}
        for name, group, priority in (("stores", stores, "10"), ("site", site, "20"))
        if group
    }
    programs = {f"program:{p.name}": _section(folder, p) for p in (*stores, *site)}
    return "\n".join(_ini(name, values) for name, values in (head | groups | programs).items())


def _section(folder: Path, program: Program) -> dict[str, str]:
    line = child.command(program.command, user=program.user, on_orphan=program.on_orphan)
    return {
        "command": shlex.join(line),
        "directory": str(program.directory),
        "autostart": str(program.at_once).lower(),
        "autorestart": str(program.lasting).lower(),
        "startsecs": "1" if program.lasting else "0",
        # supervisord waits a second longer before each further try.
        "startretries": "1000000" if program.lasting else "0",
        "stopsignal": program.stop,
        "stopwaitsecs": "4",
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(folder / "logs" / f"{program.name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
    }


def _ini(section: str, values: dict[str, str]) -> str:
    """A per cent sign would be read as the start of a variable."""
    lines = (f"{name}={value.replace('%', '%%')}" for name, value in values.items())
    return "\n".join([f"[{section}]", *lines, ""])
