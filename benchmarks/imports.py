"""One import through the administration and one through the shell: do they make the same catalogue?

`python -m benchmarks.imports MUSIC` packs the files below MUSIC into a zip, sends it to a fresh
`script/server` by the administration's form, kills the worker of the index twice on the way, and
waits for the end; then imports the folder by `script/manage import_tracks` into another fresh site.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
SERVERS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MEDIA_ROOT", "DJANGO_SETTINGS_MODULE")
BOUNDARY = "soundsite-import"
HASHES = "from tracks.models import Track; print(*Track.objects.values_list('sha256', flat=True))"
STATE = (
    "from tracks.models import Job; job = Job.objects.get(); "
    "print(job.state, job.attempt, job.items.filter(state='CREATED').count())"
)


def environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in SERVERS}
    return {**kept, "SOUNDSITE_DATA": str(data)}


def manage(data: Path, *arguments: str) -> str:
    """What script/manage prints."""
    command = [str(ROOT / "script" / "manage"), *arguments]
    done = subprocess.run(command, env=environment(data), stdout=subprocess.PIPE, check=False)
    return done.stdout.decode()


def wait_for(condition: Callable[[], bool], seconds: float = 3600) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not reached within {seconds:g} s")
        time.sleep(1)


@contextmanager
def site() -> Iterator[tuple[Path, dict[str, str]]]:
    """A fresh script/server without the demo catalogue: its data folder and its ready.json."""
    parent = Path(tempfile.mkdtemp(prefix="soundsite-imports-"))
    data = parent / "data"
    command = [str(ROOT / "script" / "server"), "--port", "0", "--no-demo", "--data", str(data)]
    with (parent / "terminal").open("wb") as terminal:
        server = subprocess.Popen(command, env=environment(data), stdout=terminal, stderr=terminal)
    try:
        ready = data / "ready.json"
        wait_for(lambda: ready.exists() or server.poll() is not None, 600)
        yield data, json.loads(ready.read_text())
    finally:
        server.terminate()
        server.wait(60)
        if (home := data / "postgres").is_symlink():
            shutil.rmtree(home.resolve())
        shutil.rmtree(parent)


class Administrator:
    """Signs in and sends forms."""

    def __init__(self, ready: dict[str, str]) -> None:
        self._url = ready["url"]
        self._jar = http.cookiejar.CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._get("/accounts/login/")
        fields = {"login": ready["admin_user"], "password": ready["admin_password"]}
        self.post("/accounts/login/", fields)

    def _get(self, address: str) -> None:
        self._browser.open(self._url + address).read()

    def token(self) -> str:
        return next(cookie.value or "" for cookie in self._jar if cookie.name == "csrftoken")

    def post(self, address: str, fields: dict[str, str]) -> str:
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.token()}).encode()
        return self._send(address, body, {})

    def send_zip(self, path: Path) -> int:
        """The number of the job."""
        address = "/admin/tracks/job/import/"
        self._get(address)
        with tempfile.TemporaryFile() as body:
            write_form(body, self.token(), path)
            size = body.tell()
            body.seek(0)
            kind = f"multipart/form-data; boundary={BOUNDARY}"
            headers = {"Content-Type": kind, "Content-Length": str(size)}
            there = self._send(address, body, headers)
        found = re.search(r"/job/(\d+)/", there)
        if found is None:
            raise SystemExit(f"the form led to {there}")
        return int(found[1])

    def _send(self, address: str, body: bytes | IO[bytes], headers: dict[str, str]) -> str:
        request = urllib.request.Request(
            self._url + address, body, {"Referer": self._url + address, **headers}
        )
        with self._browser.open(request) as answer:
            return str(answer.url)


def write_form(body: IO[bytes], token: str, path: Path) -> None:
    """The form's fields as multipart/form-data (RFC 7578), the zip in blocks."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n'
    body.write(f"{head}{token}\r\n--{BOUNDARY}\r\n".encode())
    body.write(b'Content-Disposition: form-data; name="archive"; filename="music.zip"\r\n')
    body.write(b"Content-Type: application/zip\r\n\r\n")
    with path.open("rb") as file:
        shutil.copyfileobj(file, body)
    body.write(f"\r\n--{BOUNDARY}--\r\n".encode())


def kill_worker(data: Path) -> None:
    """SIGKILL to the worker of the queue `index` that runs on this data."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            mine = f"SOUNDSITE_DATA={data}".encode() in path.with_name("environ").read_bytes()
        except OSError:
            continue
        if mine and "-Q index" in line:
            os.kill(int(path.parent.name), signal.SIGKILL)


def by_form(archive: Path) -> tuple[set[str], float, str]:
    """The catalogue's hashes, the seconds it took, and what the job says at last."""
    with site() as (data, ready):
        shell = ("shell", "--no-imports", "-c")

        def state() -> list[str]:
            return manage(data, *shell, STATE).split()

        administrator, began = Administrator(ready), time.monotonic()
        job = administrator.send_zip(archive)
        wait_for(lambda: state()[0] == "RUNNING")
        kill_worker(data)
        wait_for(lambda: state()[0] in ("PLANNED", "FAILED"))
        administrator.post(f"/admin/tracks/job/{job}/go/order/", {})
        wait_for(lambda: int(state()[2]) > 0)
        kill_worker(data)
        wait_for(lambda: state()[0] in ("FINISHED", "FAILED"))
        seconds = time.monotonic() - began
        return set(manage(data, *shell, HASHES).split()), seconds, " ".join(state())


def by_shell(music: Path) -> tuple[set[str], float, str]:
    with site() as (data, _):
        began = time.monotonic()
        said = manage(data, "import_tracks", str(music)).strip().splitlines()
        seconds = time.monotonic() - began
        hashes = manage(data, "shell", "--no-imports", "-c", HASHES)
        return set(hashes.split()), seconds, said[-1] if said else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path, metavar="MUSIC")
    music = parser.parse_args().music.resolve()
    with tempfile.NamedTemporaryFile(suffix=".zip") as packed:
        with zipfile.ZipFile(packed.name, "w") as archive:
            for path in sorted(music.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(music))
        size = Path(packed.name).stat().st_size / 1e6
        form, form_seconds, form_said = by_form(Path(packed.name))
    shell, shell_seconds, shell_said = by_shell(music)
    print(f"form: zip of {size:.0f} MB, {len(form)} tracks, {form_seconds:.0f} s, {form_said}")
    print(f"shell: {len(shell)} tracks, {shell_seconds:.0f} s, {shell_said}")
    print("the same SHA-256 set" if form == shell else f"{len(form ^ shell)} differ")
    raise SystemExit(form != shell)


if __name__ == "__main__":
    main()
