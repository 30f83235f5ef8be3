"""The processes of a site on many hosts, each with a folder and an environment of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.network import NET, Host
from benchmarks.site import OURS, ROOT, wait_until
from benchmarks.visitor import Visitor

START_SECONDS = 240.0  # on a machine that others share
BUCKET = "media"
# Every host has its own folder at the same path, as machines have; the mount ends with the command.
_AT_HOME = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
SERVED = ("web1", "web2", "match1", "match2", "index", "chores")
WORKER = ("--concurrency", "1", "--without-gossip", "--without-mingle")

# The embedded servers listen on 127.0.0.1 alone; here they are told to listen to their network.
_POSTGRES = """
import os, sys
from pathlib import Path
from soundsite.embedded import child, places, postgres
place = places.choose(Path(sys.argv[1]), *postgres.installed())
server = postgres.Postgres(place, 5432, os.environ["PASSWORD"])
server.initialise()
with (place.data / "pg_hba.conf").open("a") as rules:
    rules.write("host all all samenet scram-sha-256\\n")
line = [*server.command(), "-c", "listen_addresses=*"]
os.chdir("/")
line = child.command(line, user=place.user, on_orphan="INT")
os.execv(line[0], line)
"""
_VALKEY = """
import os, sys
from pathlib import Path
from soundsite.embedded.valkey import Valkey
server = Valkey(Path(sys.argv[1]) / "valkey", 6379, os.environ["PASSWORD"])
server.initialise()
line = [*server.command(), "--bind", "0.0.0.0"]
os.execv(line[0], line)
"""


@dataclass
class Machine:
    """One host: its code, its data, what it is told, and the process that it runs.

    Attributes:
        code: the folder of the release that its processes run.
        python: what runs them.
        folder: what it has as its SOUNDSITE_DATA; nobody else's.
    """

    host: Host
    code: Path
    python: str
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def _line(self, *command: str) -> list[str]:
        home = ["sh", "-c", _AT_HOME, "sh", str(self.folder), self.environment["SOUNDSITE_DATA"]]
        return self.host.inside([*home, self.python, *command])

    def start(self, *command: str) -> None:
        """Runs `python COMMAND` in the host, beside what may still run there."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._line(*command),
                cwd=self.code,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def manage(self, *arguments: str) -> None:
        """Runs manage.py there and waits. Raises AssertionError with what it said if it fails."""
        line = self._line("manage.py", *arguments)
        done = subprocess.run(
            line, cwd=self.code, env=self.environment, capture_output=True, text=True, check=False
        )
        said = f"{done.stdout}{done.stderr}"[-3000:]
        assert done.returncode == 0, f"{arguments} failed on {self.host.name}: {said}"

    def web(self) -> None:
        bind = f"{self.host.address}:8000"
        threads = ("--workers", "1", "--worker-class", "gthread", "--threads", "4")
        self.start(
            *("-m", "gunicorn", "soundsite.wsgi", "--bind", bind),
            *(*threads, "--no-control-socket"),
        )

    def worker(self, *queues: str, beat: bool = False) -> None:
        names = ["-Q", ",".join(queues), "-n", f"{queues[0]}@{self.host.name}"]
        line = ["-m", "celery", "-A", "soundsite", "worker", *WORKER, *names]
        self.start(*line, *(["--beat"] if beat else []))

    def await_worker(self) -> None:
        self._await(lambda: " ready." in self.said())

    def await_web(self) -> None:
        self._await(lambda: "Listening at" in self.said())

    def _await(self, condition: object) -> None:
        assert callable(condition)
        process = self.process
        assert process is not None
        wait_until(lambda: condition() or process.poll() is not None, START_SECONDS, every=0.2)
        assert process.poll() is None, f"{self.host.name} ended:\n{self.said()[-3000:]}"

    def stop(self) -> None:
        """SIGTERM, as a deployment does it: a job in hand is finished."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def claimed(self) -> set[str]:
        """Ids of the uploads that its worker has taken."""
        return set(re.findall(r"upload (\S+) was claimed", self.said()))

    def visitor(self, user: str, password: str) -> Visitor:
        visitor = Visitor(f"http://{self.host.address}:8000")
        visitor.sign_in(user, password)
        return visitor


@dataclass
class Machines:
    """All hosts of a site.

    Attributes:
        folder: of everything, gone afterwards.
        older: the code of an older release.
        serving: what `deploy/unpack` has made, for the hosts that an image without TensorFlow is
            for; None where they run what runs this.
        accounts: as `demo_accounts` wants them.
    """

    hosts: dict[str, Host]
    folder: Path
    older: Path
    serving: Path | None
    passwords: dict[str, str] = field(
        default_factory=lambda: {
            name: secrets.token_urlsafe(18) for name in ("database", "broker", "key", "people")
        }
    )
    all: dict[str, Machine] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Machine:
        return self.all[name]

    @property
    def database(self) -> str:
        address = self.hosts["database"].address
        return f"postgres://soundsite:{self.passwords['database']}@{address}:5432/soundsite"

    @property
    def accounts(self) -> dict[str, str]:
        secret = self.passwords["people"]
        people = {"user": "demo", "admin_user": "admin"}
        return {**people, "password": secret, "admin_password": secret}

    def make(self) -> None:
        """Folders and environments; nothing runs yet."""
        (self.folder / "data").mkdir(mode=0o755)
        for name, host in self.hosts.items():
            folder = self.folder / name
            folder.mkdir()
            folder.chmod(0o755)
            code, python = ROOT, sys.executable
            if name == "older":
                code = self.older
            elif self.serving and name in SERVED:
                code = self.serving / "srv" / "soundsite"
                python = str(self.serving / "opt" / "venv" / "bin" / "python")
            self.all[name] = Machine(host, code, python, folder, self._told())
        (self.folder / "accounts.json").write_text(json.dumps(self.accounts))

    def _told(self) -> dict[str, str]:
        """One recipe for all hosts; docs/deployment.md has the same."""
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        broker = self.hosts["broker"].address
        compiled = Path("~/.cache/soundsite/numba").expanduser()  # of all hosts, to save minutes
        return {
            **kept,
            "SOUNDSITE_DATA": str(self.folder / "data"),
            "SECRET_KEY": self.passwords["key"],
            "DATABASE_URL": self.database,
            "REDIS_URL": f"redis://:{self.passwords['broker']}@{broker}:6379/0",
            "ALLOWED_HOSTS": ",".join(f"{NET}.{place}" for place in range(2, 2 + len(self.hosts))),
            "MEDIA_S3_BUCKET": BUCKET,
            "MEDIA_S3_ENDPOINT": f"http://{self.hosts['store'].address}:9000",
            "MEDIA_S3_KEY_ID": "somebody",
            "MEDIA_S3_SECRET": "their-secret",
            "NUMBA_CACHE_DIR": str(compiled),
            "PYTHONUNBUFFERED": "1",
        }

    def start_stores(self) -> None:
        """Database, broker and store, and an empty bucket."""
        for name, code in (("database", _POSTGRES), ("broker", _VALKEY)):
            machine = self[name]
            machine.environment["PASSWORD"] = self.passwords[name]
            machine.start("-c", code, machine.environment["SOUNDSITE_DATA"])
        self["store"].start("-m", "moto.server", "-H", "0.0.0.0", "-p", "9000")
        wait_until(self._bucket, START_SECONDS, every=0.2)
        ready = "database system is ready to accept connections"
        wait_until(lambda: ready in self["database"].said(), START_SECONDS, every=0.2)

    def _bucket(self) -> bool:
        address = f"{self['store'].environment['MEDIA_S3_ENDPOINT']}/{BUCKET}"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, method="PUT")) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
