"""One import through the administration and one through the shell: do they make the same catalogue?

`python -m benchmarks.imports MUSIC` packs the files below MUSIC into a zip, sends it to a fresh
`script/server` by the administration's form, kills the worker of the index twice on the way, and
waits for the end; then imports the folder by `script/manage import_tracks` into another fresh site.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
import zipfile
from pathlib import Path

from benchmarks.site import Site, fresh_site, wait_until

HOUR = 3600.0
HASHES = "from tracks.models import Track; print(*Track.objects.values_list('sha256', flat=True))"
STATE = (
    "from tracks.models import Job; job = Job.objects.get(); "
    "print(job.state, job.attempt, job.items.filter(state='CREATED').count())"
)

Made = tuple[set[str], float, str]  # the catalogue's hashes, seconds, what was said at last


def by_form(archive: Path) -> Made:
    with fresh_site() as site:
        administrator, began = site.administrator(), time.monotonic()
        with archive.open("rb") as file:
            page = administrator.send("/admin/tracks/job/import/", {"archive": file})
        if not re.search(r"/job/\d+/", page):
            raise SystemExit(f"the form led to {page}")
        wait_until(lambda: _state(site)[0] == "RUNNING", HOUR, every=1)
        site.kill_worker("index")
        wait_until(lambda: _state(site)[0] in ("PLANNED", "FAILED"), HOUR, every=5)
        administrator.order(page.replace("change/", "go/order/"), page)
        wait_until(lambda: int(_state(site)[2]) > 0, HOUR, every=1)
        site.kill_worker("index")
        wait_until(lambda: _state(site)[0] in ("FINISHED", "FAILED"), HOUR, every=5)
        seconds = time.monotonic() - began
        state, claims, created = _state(site)
        return set(site.ask(HASHES)), seconds, f"{state}, {created} created in {claims} claims"


def _state(site: Site) -> list[str]:
    return site.ask(STATE)


def by_shell(music: Path) -> Made:
    with fresh_site() as site:
        began = time.monotonic()
        said = site.manage("import_tracks", str(music)).stdout.strip().splitlines()
        seconds = time.monotonic() - began
        return set(site.ask(HASHES)), seconds, said[-1] if said else ""


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
