"""Loads mixed tracks into the site's database in bulk. Run inside the site, by script/manage."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.db import connection

from benchmarks.scaling.mixing import BLOCK, Mixed, Mixer
from ml.pretrained import DEFAULT
from tracks.models import ModelVersion
from tracks.services.versions import install_model, make_search_index, search_index

# As long as the pointer to a real encoding that a row holds; the ones that are ranked are real.
PLACEHOLDER = b"no encoding of it."
GENRES, ARTIST_TRACKS = 8, 50
MAINTENANCE = "2GB"  # what pgvector builds a graph of a million in
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COLUMNS = {
    "id": ">i8",
    "track_id": ">i8",
    "model_version_id": ">i8",
    "state": "S7",
    "error_code": "",
    "error_detail": "",
    "attempt": ">i4",
    "losses": ">i2",
    "encoding": f"S{len(PLACEHOLDER)}",
    "tempo": ">f8",
    "created_at": ">i8",
    "indexed_at": ">i8",
}
# By number: what a track is filtered by. A licence in seven of ten, a genre in a third at most.
_TRACKS = """
    INSERT INTO tracks_track (id, title, artist, soundtrack, genre, licence, subset, source,
        source_url, generated, audio, sha256, size, duration, withdrawn_why, created_at, updated_at)
    SELECT n, 'Track ' || n, 'Artist ' || n / %(artist)s, 'Game ' || n / 20,
        'Genre ' || floor(%(genres)s * power(random(), 2))::int,
        CASE WHEN random() < 0.7 THEN 'CC0-1.0' ELSE 'GPL-3.0-only' END,
        '', '', '', false, 'tracks/' || n, lpad(to_hex(n), 64, '0'), 1, seconds, '', now(), now()
    FROM unnest(%(numbers)s::bigint[], %(seconds)s::float8[]) AS made (n, seconds)
"""


def load(mixer: Mixer, first: int, last: int) -> dict[str, Any]:
    """The tracks of these numbers and their entries; the index is not up to date afterwards."""
    began = time.perf_counter()
    version = installed()
    with connection.cursor() as cursor, _without_indexes(cursor, version):
        cursor.execute("SET session_replication_role = replica")  # foreign keys are as they should
        for start in range(first, last, 10 * BLOCK):
            stop = min(start + 10 * BLOCK, last)
            mixed = mixer.drawn(start, stop)
            numbers = np.arange(start, stop) + 1
            given = {"numbers": numbers.tolist(), "seconds": mixed.seconds.tolist()}
            cursor.execute(_TRACKS, {**given, "artist": ARTIST_TRACKS, "genres": GENRES})
            names = ", ".join([*_COLUMNS, "embedding"])
            line = f"COPY tracks_indexentry ({names}) FROM STDIN (FORMAT binary)"
            cursor.copy_expert(line, io.BytesIO(copied(version, numbers, mixed)))
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in ("tracks_track", "tracks_indexentry"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")
    return {"load": time.perf_counter() - began}


def installed() -> ModelVersion:
    return install_model(DEFAULT)[0]


@contextmanager
def _without_indexes(cursor: Any, version: ModelVersion) -> Iterator[None]:
    """Those for words are made anew after a bulk load; the vectors' is left to `build`."""
    cursor.execute(f"DROP INDEX IF EXISTS {search_index(version.pk)}")
    wanted = "tablename = 'tracks_track' AND indexdef LIKE '%USING gin%'"
    cursor.execute(f"SELECT indexname, indexdef FROM pg_indexes WHERE {wanted}")
    kept = cursor.fetchall()
    for name, _ in kept:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in kept:
        cursor.execute(definition)


def copied(version: ModelVersion, numbers: np.ndarray, mixed: Mixed) -> bytes:
    """Rows in PostgreSQL's binary COPY format: all equally wide, so one array holds them."""
    width = mixed.vectors.shape[1]
    columns = {**_COLUMNS, "embedding": f"V{4 + 2 * width}"}
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name} bytes", ">i4"), *([(name, kind)] if kind else [])]
    rows = np.zeros(len(numbers), np.dtype(fields))
    rows["count"] = len(columns)
    for name, kind in columns.items():
        rows[f"{name} bytes"] = np.dtype(kind).itemsize if kind else 0
    since_2000 = int((time.time() - 946_684_800) * 1e6)
    values: Mapping[str, Any] = {
        "id": numbers,
        "track_id": numbers,
        "model_version_id": version.pk,
        "state": b"INDEXED",
        "encoding": PLACEHOLDER,
        "tempo": mixed.tempo,
        "created_at": since_2000,
        "indexed_at": since_2000,
        "embedding": _halves(mixed.vectors),
    }
    for name, value in values.items():
        rows[name] = value
    return _SIGNATURE + rows.tobytes() + b"\xff\xff"


def _halves(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) as pgvector's halfvec goes over the line: their width, 0, the numbers."""
    count, width = vectors.shape
    rows = np.zeros((count, 2 + width), ">u2")
    rows[:, 0] = width
    rows[:, 2:] = vectors.astype(">f2").view(">u2")
    return rows.view(f"V{rows.itemsize * rows.shape[1]}")[:, 0]


def give_encodings(mixer: Mixer, wanted: np.ndarray) -> float:
    """Writes the codes of these tracks (numbers from 0 on); returns the mean of their bytes."""
    total = 0
    mixed = {}
    with connection.cursor() as cursor:
        for number in wanted.tolist():
            block = number // BLOCK
            if block not in mixed:
                mixed = {block: mixer.drawn(block * BLOCK, (block + 1) * BLOCK)}
            stored = mixer.encoding(mixed[block], number % BLOCK).to_bytes()
            total += len(stored)
            line = "UPDATE tracks_indexentry SET encoding = %s WHERE id = %s AND encoding = %s"
            cursor.execute(line, [stored, number + 1, PLACEHOLDER])
    return total / max(len(wanted), 1)


def build(workers: int = 1) -> dict[str, Any]:
    """Makes the vectors' index as the site makes it; how long that took, and its size."""
    version = installed()
    with connection.cursor() as cursor:
        cursor.execute(f"SET maintenance_work_mem = '{MAINTENANCE}'")
        cursor.execute(f"SET max_parallel_maintenance_workers = {workers}")
        began = time.perf_counter()
        make_search_index(version)
        seconds = time.perf_counter() - began
        cursor.execute("VACUUM ANALYZE tracks_track")
        cursor.execute("VACUUM ANALYZE tracks_indexentry")
        name = search_index(version.pk)
        sizes = f"pg_relation_size('{name}'), pg_relation_size('entry_by_tempo')"
        cursor.execute(f"SELECT {sizes}, pg_database_size(current_database())")
        index, by_tempo, database = cursor.fetchone()
    return {"build": seconds, "index": index, "by tempo": by_tempo, "database": database}
