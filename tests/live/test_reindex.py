"""A bulk re-index never delays a visitor: the real workers, on a site of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import soundfile

from benchmarks.site import Site, running, scratch_folder, wait_until
from benchmarks.visitor import Visitor
from ml.synth import SAMPLE_RATE, compose, render

pytestmark = [pytest.mark.live]
TRACKS = 100
# One track is heard by the worker; the others are rows with the same sound and the same vector.
FILL = f"""
from tracks.models import IndexEntry, Track
entry = IndexEntry.objects.select_related("track").get()
for number in range(1, {TRACKS}):
    track, copy = entry.track, IndexEntry.objects.get(pk=entry.pk)
    track.pk, track.sha256, track._state.adding = None, f"{{number:064x}}", True
    track.save()
    copy.pk, copy.track, copy._state.adding = None, track, True
    copy.save()
"""


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Site]:
    """A site whose catalogue holds a hundred indexed tracks."""
    with scratch_folder() as folder, running(folder, "--no-demo") as site:
        soundfile.write(tmp_path / "Piece.flac", render(compose(1), 60.0), SAMPLE_RATE)
        for command in (
            ["import_tracks", str(tmp_path)],
            ["await_index"],
            ["shell", "--no-imports", "-c", FILL],
        ):
            done = site.manage(*command)
            assert done.returncode == 0, done.stderr
        yield site


def test_an_upload_sent_during_a_re_index_of_100_tracks_is_answered_before_ten_are_heard(
    crowded: Site, tmp_path: Path
) -> None:
    song = tmp_path / "excerpt.flac"
    soundfile.write(song, render(compose(1), 60.0)[: 6 * SAMPLE_RATE], SAMPLE_RATE)
    administrator, visitor = Visitor(crowded.url), Visitor(crowded.url)
    administrator.sign_in(crowded.admin_user, crowded.admin_password)
    visitor.sign_in(crowded.user, crowded.password)
    with _database(crowded) as ask:
        ((version,),) = ask("SELECT id FROM tracks_modelversion")
        overview = "/admin/tracks/indexentry/overview/"
        job = administrator.order(f"{overview}{version}/again/", overview, what="all")
        address = visitor.upload(song)
        upload = address.strip("/").rpartition("/")[2]
        state = "SELECT state FROM matcher_upload WHERE id = %s"
        wait_until(lambda: ask(state, upload)[0][0] in ("FINISHED", "FAILED"), seconds=60)
        pending = ask("SELECT count(*) FROM tracks_indexentry WHERE state = 'PENDING'")[0][0]
        assert ask(state, upload) == [("FINISHED",)]
        assert pending >= 90, pending
        assert ask("SELECT count(*) FROM matcher_match")[0][0] == 10  # tracks that wait answer
        wait_until(lambda: ask("SELECT state FROM tracks_job") == [("RUNNING",)], seconds=60)
        administrator.order(job.replace("/change/", "/cancel/order/"), job)
        counts = "SELECT state, count(*) FROM tracks_indexentry GROUP BY state"
        wait_until(lambda: ask(counts) == [("INDEXED", TRACKS)], seconds=60)


@contextmanager
def _database(site: Site) -> Iterator[Any]:
    """Asks the site's database and gives back the rows."""
    urls = json.loads((site.folder / "running.json").read_text())
    connection = psycopg2.connect(urls["DATABASE_URL"])
    connection.autocommit = True

    def ask(query: str, *values: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    try:
        yield ask
    finally:
        connection.close()
