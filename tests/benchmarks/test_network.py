"""Hosts in namespaces of their own: what reaches what, and what is left afterwards."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.network import Host, NoNetworkError, network
from benchmarks.site import wait_until

NAMES = {"bridge": "sstest", "net": "10.213.78"}  # beside a benchmark that may be running
CALL = "import socket, sys; socket.create_connection((sys.argv[1], 80), 0.3)"


def reaches(one: Host, other: Host) -> bool:
    line = one.inside([sys.executable, "-S", "-c", CALL, other.address])
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes namespaces")
def test_a_host_that_is_cut_off_is_reached_again_once_mended_and_nothing_is_left() -> None:
    with network(["one", "two"], **NAMES) as hosts:
        one, two = hosts.values()
        listen = "import socket; s = socket.create_server(('', 80)); [s.accept() for _ in range(9)]"
        server = subprocess.Popen(two.inside([sys.executable, "-S", "-c", listen]))
        wait_until(lambda: reaches(one, two))
        two.cut()
        assert not reaches(one, two)
        two.mend()
        wait_until(lambda: reaches(one, two))
    assert server.wait(5) < 0
    left = [subprocess.check_output(["ip", *asked], text=True) for asked in (["netns"], ["link"])]
    assert "sstest" not in " ".join(left)


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoNetworkError, match="Only root"), network(["one"]):
        pass
