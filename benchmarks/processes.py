"""Processes, as /proc tells of them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

Identity = tuple[int, str]  # a pid and when it began: pids are used again


def programs(server: int) -> dict[int, str]:
    """What the supervisord of a script/server looks after: pid and command line.

    A process that is not the program itself yet does not count.
    """
    (supervisord,) = (pid for pid, parent in parents().items() if parent == server)
    lines = {pid: line_of(pid) for pid, parent in parents().items() if parent == supervisord}
    return {pid: line for pid, line in lines.items() if line and "child.py" not in line}


def family(pid: int) -> set[Identity]:
    """The process and all that descend from it."""
    pairs = parents().items()
    found = {pid}
    while more := {child for child, parent in pairs if parent in found} - found:
        found |= more
    return {identity for identity in identities() if identity[0] in found}


def identities() -> set[Identity]:
    return {(pid, status[19]) for pid, status in _statuses().items() if status[0] != "Z"}


def parents() -> dict[int, int]:
    return {pid: int(status[1]) for pid, status in _statuses().items()}


def forked(pid: int) -> list[int]:
    """The children of a process of one thread, faster than by `parents`."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def _statuses() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat after the name: state, parent, ..., the 20th is the start."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
    return found


def processor_seconds(processes: Iterable[Identity]) -> float:
    """User and system time that these, and the ended ones that they waited for, have had so far."""
    statuses = _statuses()
    ticks = (sum(map(int, statuses[pid][11:15])) for pid, _ in processes if pid in statuses)
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> tuple[float, float]:
    """RSS and PSS of a process; zeros for one that has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0, 0.0
    found = dict(re.findall(r"^(Rss|Pss): +(\d+) kB$", text, re.MULTILINE))
    return int(found["Rss"]) / 1024, int(found["Pss"]) / 1024


def computing(pid: int) -> float:
    """Seconds that the process, of one thread, has spent on processors."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def line_of(pid: int) -> str:
    try:
        found = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return found.replace(b"\0", b" ").decode(errors="replace")
