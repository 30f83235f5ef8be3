"""The backup and restore drill, timed: `python -m benchmarks.drill MUSIC`.

A site with the music in its catalogue and an answered upload is backed up while it runs; the file
is restored into an empty installation, which is started, asked for the same answer, and asked to
answer the same song anew. Ends with status 1 where the restored site says something else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.site import Site, fresh_site, manage, running, scratch_folder, wait_until
from benchmarks.visitor import Visitor

ANSWER_SECONDS = 180.0
TOLD = ("state", "title", "artist", "score", "version")


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{what:44} {time.monotonic() - began:6.1f} s", flush=True)


def must(folder: Path, *command: str) -> None:
    done = manage(folder, *command)
    if done.returncode:
        raise SystemExit(done.stderr)


def answer(visitor: Visitor, address: str) -> dict[str, str]:
    """What the page of an upload says once its job has ended."""
    wait_until(lambda: visitor.job(address)["state"] == "FINISHED", ANSWER_SECONDS, every=0.2)
    job = visitor.job(address)
    return {name: job[name] for name in TOLD}


def back_up(music: Path, song: Path, file: Path) -> tuple[str, dict[str, str]]:
    """The address of an upload of a site that is gone now, and its answer."""
    with fresh_site() as site:
        must(site.folder, "import_tracks", str(music))
        must(site.folder, "await_index")
        visitor = site.visitor()
        address = visitor.upload(song)
        told = answer(visitor, address)
        with timed("backup while the site runs"):
            must(site.folder, "backup", str(file))
    print(f"{'size of the backup':44} {file.stat().st_size / 1e6:6.0f} MB")
    return address, told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill", description=__doc__)
    parser.add_argument("music", type=Path)
    options = parser.parse_args()
    song = next(path for path in sorted(options.music.rglob("*")) if path.is_file())
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "site.tar"
        address, told = back_up(options.music, song, file)
        folder = stack.enter_context(scratch_folder())
        with timed("restore into an empty installation"):
            must(folder, "restore", str(file))
        with timed("start of the restored site"):
            site = stack.enter_context(running(folder, "--no-demo"))
        again = _asked_again(site, address, song)
    print("same answer as before:", again == [told, told])
    return int(again != [told, told])


def _asked_again(site: Site, address: str, song: Path) -> list[dict[str, str]]:
    """The kept answer, and that to the song sent anew by somebody else, for whom it is heard."""
    kept = answer(site.visitor(), address)
    somebody = site.administrator()
    with timed("first upload to the restored site, to its answer"):
        return [kept, answer(somebody, somebody.upload(song))]


if __name__ == "__main__":
    sys.exit(main())
