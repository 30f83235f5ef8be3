"""What the processes of a site hold in memory once each has served every page.

    python -m benchmarks.memory

Starts a fresh site with composed pieces, has an excerpt answered, then opens whatever the pages
link to as a visitor and as an administrator, and takes the catalogue away as tables. It prints
megabytes of each process beside the goals: RSS, and PSS, in which a page that several processes
share counts as a part for each. Ends with status 1 when a goal is missed.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError

from benchmarks.composed import compare
from benchmarks.processes import megabytes, parents, programs
from benchmarks.site import Site, fresh_site, wait_until
from benchmarks.visitor import Visitor

BEGINNINGS = ("/", "/api/v1/docs", "/api/v1/openapi.json", "/metrics", "/catalogue/map.json")
LEFT_OUT = ("/accounts/logout/", "/static/")
TABLES = ("0", "1")  # CSV and XLSX, as the form of the tracks numbers them
ROUNDS, AT_ONCE = 4, 8  # so that each thread of each web process had its turn
GOALS = {"web process": 120, "match, its child": 350, "match, its decoder": 250}
ADDRESS = re.compile(r'(?:href|src|hx-get|action)="(/[^"#]*)')
# A page of one row stands for those of all others, and a list for itself in any order.
NUMBERS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|\?.*")


@dataclass(frozen=True)
class Held:
    """Memory of one process in megabytes."""

    name: str
    rss: float
    pss: float

    @property
    def goal(self) -> int | None:
        return GOALS.get(self.name)


def open_all(visitor: Visitor, also: str) -> int:
    """Open everything that links lead to, again and again; how many pages there are."""
    seen: dict[str, str] = {}
    waiting = [*BEGINNINGS, also]
    while waiting:
        address = waiting.pop()
        shape = NUMBERS.sub("#", address)
        if shape not in seen and not address.startswith(LEFT_OUT):
            seen[shape] = address
            waiting += ADDRESS.findall(_opened(visitor, address).replace("&amp;", "&"))
    with ThreadPoolExecutor(AT_ONCE) as people:
        list(people.map(lambda address: _opened(visitor, address), ROUNDS * [*seen.values()]))
    return len(seen)


def _opened(visitor: Visitor, address: str) -> str:
    """What is there; nothing where it is sound, a table or an order that wants to be posted."""
    try:
        return visitor.get(address)
    except UnicodeDecodeError:
        return ""
    except HTTPError as error:
        if error.code >= 500:  # a page that fails holds less than one that is shown
            raise
        return ""


def take_tables(administrator: Visitor) -> None:
    """The catalogue as a file, in each form that the administration offers."""
    for number in ROUNDS * [*TABLES]:
        administrator.send("/admin/tracks/track/export/", {"format": number, "resource": ""})


def held(site: Site) -> Iterator[Held]:
    """The processes of ours; a decoder is the child of a worker's child."""
    for pid, line in programs(site.process.pid).items():
        name = _name(line)
        if name in ("postgres", "valkey"):
            continue  # servers of other people, whose memory is mostly shared
        if name != "web":  # its arbiter serves nobody
            yield Held(name, *megabytes(pid))
        for child, parent in parents().items():
            if parent == pid:
                called = "web process" if name == "web" else f"{name}, its child"
                yield Held(called, *megabytes(child))
                for decoder, its in parents().items():
                    if its == child:
                        yield Held(f"{name}, its decoder", *megabytes(decoder))


def _name(line: str) -> str:
    if queue := re.search(r"-Q (\w+)", line):
        return queue[1]
    known = {"gunicorn": "web", "celery": "beat", "postgres": "postgres", "valkey": "valkey"}
    return next((name for word, name in known.items() if word in line), line)


def told(found: list[Held]) -> bool:
    """Print the table; whether the goals were met."""
    print(f"{'':32}{'RSS':>7}{'PSS':>7}{'goal':>7}")
    for one in found:
        goal = one.goal or ""
        verdict = "" if one.goal is None else "  held" if one.rss < one.goal else "  MISSED"
        print(f"{one.name:32}{one.rss:7.0f}{one.pss:7.0f}{goal:>7}{verdict}")
    return all(one.goal is None or one.rss < one.goal for one in found)


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, fresh_site() as site:
        excerpt = compare(site, Path(scratch))
        visitor, administrator = site.visitor(), site.administrator()
        answer = visitor.upload(excerpt)
        wait_until(lambda: visitor.job(answer)["state"] == "FINISHED", 120)
        pages = open_all(visitor, answer), open_all(administrator, "/admin/")
        take_tables(administrator)
        print(f"pages opened: {pages[0]} as a visitor, {pages[1]} as an administrator")
        if find_spec("pytest"):
            print("The packages for the tests are there, and weigh on every process.")
        return int(not told(sorted(held(site), key=lambda one: one.name)))


if __name__ == "__main__":
    sys.exit(main())
