"""A network of hosts on one machine: a namespace each (ip-netns), all on one bridge. Root only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

NAME = "soundsite"  # of the bridge; namespaces and links begin with it
NET = "10.213.77"  # the bridge is .1, from where the visitors come; the hosts are .2, .3, ...
PATIENCE_SECONDS = 5.0


class NoNetworkError(Exception):
    """No such network can be made here; the message says why."""


@dataclass(frozen=True)
class Host:
    """A namespace with one address and a link that can be cut.

    Attributes:
        bridge: that it is linked to; namespaces of other networks begin with other names.
    """

    name: str
    address: str
    bridge: str = NAME

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command line that runs the command in there; it becomes the command itself."""
        return ["ip", "netns", "exec", f"{self.bridge}-{self.name}", *command]

    def cut(self) -> None:
        """Nothing comes out or in any more, and nobody is told."""
        _ip("link", "set", self._link, "down")

    def mend(self) -> None:
        _ip("link", "set", self._link, "up")

    def make(self) -> None:
        space = f"{self.bridge}-{self.name}"
        _ip("netns", "add", space)
        _ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", self._link, "master", self.bridge, "up")
        _ip("-n", space, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", space, "link", "set", device, "up")

    @property
    def _link(self) -> str:
        return _link(self.bridge, self.name)


@contextmanager
def network(names: Sequence[str], bridge: str = NAME, net: str = NET) -> Iterator[dict[str, Host]]:
    """The hosts by their names; at the end their processes, their links and the bridge go.

    Raises:
        NoNetworkError: nobody but root may, or this machine does not let root either.
    """
    if os.geteuid() != 0:
        raise NoNetworkError("Only root can make network namespaces: run this as root.")
    if shutil.which("ip") is None:
        raise NoNetworkError("There is no program `ip` here (Debian's package iproute2 has it).")
    _remove(bridge)  # what a run that was killed has left
    hosts = {name: Host(name, f"{net}.{2 + place}", bridge) for place, name in enumerate(names)}
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("address", "add", f"{net}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for host in hosts.values():
            host.make()
        yield hosts
    finally:
        _remove(bridge)


def _link(bridge: str, name: str) -> str:
    return f"{bridge[:4]}-{name}"  # an interface's name has at most 15 letters


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoNetworkError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def _remove(bridge: str) -> None:
    """Ends what runs in our namespaces, and in no other place, and removes them and the bridge."""
    spaces = [line.split()[0] for line in _ip("netns", "list").splitlines() if line.strip()]
    for space in (space for space in spaces if space.startswith(f"{bridge}-")):
        _end_all(space)
        _ip("netns", "delete", space)
        with suppress(NoNetworkError):  # its other end went with the namespace
            _ip("link", "delete", _link(bridge, space.removeprefix(f"{bridge}-")))
    with suppress(NoNetworkError):
        _ip("link", "delete", bridge)


def _end_all(space: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (pids := _ip("netns", "pids", space).split()) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)
