"""Audio files as they are stored and sent. Content decides the type, never a name."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from ml.sniff import HEAD_BYTES, sniff

# By the container that ml.sniff names: the ending a file is stored with.
ENDINGS = {
    "ogg": "ogg",
    "flac": "flac",
    "wav": "wav",
    "aiff": "aiff",
    "mov": "m4a",
    "matroska": "webm",
    "mp3": "mp3",
    "aac": "aac",
}
CONTENT_TYPES = {
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "aiff": "audio/aiff",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
}
_BLOCK = 64 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def ending_of(audio: File[Any]) -> str | None:
    """The ending that fits the file's first bytes, None if they are of no audio format."""
    audio.seek(0)
    head = audio.read(HEAD_BYTES)
    audio.seek(0)
    return ENDINGS.get(sniff(head) or "")


def content_type(name: str) -> str:
    """Content type of a file that was stored with one of our endings."""
    return CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream")


@contextmanager
def local_path(audio: FieldFile) -> Iterator[Path]:
    """A path that decoders can open, whatever storage the file lies in."""
    with stored_path(audio.storage, str(audio.name)) as path:
        yield path


@contextmanager
def stored_path(storage: Storage, name: str) -> Iterator[Path]:
    """A path of the file of that name; a copy, where the storage has no paths."""
    try:
        path = storage.path(name)
    except NotImplementedError:  # Django's word for a storage that has no paths
        path = None
    if path is not None:
        yield Path(path)
        return
    handle, copy = tempfile.mkstemp(prefix="soundsite-", suffix=Path(name).suffix)
    try:
        with os.fdopen(handle, "wb") as target:  # closed: a training has a copy of every track
            _copy(storage, name, target)
        yield Path(copy)
    finally:
        os.unlink(copy)


def _copy(storage: Storage, name: str, target: IO[bytes]) -> None:
    if download := getattr(storage, "download", None):
        download(name, target)
        return
    with storage.open(name) as source:
        shutil.copyfileobj(source, target)


def ranged_response(
    request: HttpRequest, audio: FieldFile, filename: str, content_type: str
) -> HttpResponseBase:
    """The file, or the one range of it that was asked for (RFC 9110, 14): players seek with it.

    Answers 206 for a range, 416 for one beyond the end, 404 where the file is gone; more than
    one range is answered by the whole file, as the standard allows. A store that can send files by
    itself is pointed to (302), by a link that ends.
    """
    played = content_type in CONTENT_TYPES.values()  # whatever else it is, no browser opens it
    if link := getattr(audio.storage, "link", None):
        there = link(str(audio.name), filename, content_type, attached=not played)
        return HttpResponseRedirect(there, headers={"Cache-Control": "private, no-store"})
    try:
        size = audio.size
        file = audio.storage.open(str(audio.name), "rb")
    except FileNotFoundError:
        return HttpResponse("The audio file is gone.", status=404, content_type="text/plain")
    asked = _asked(request.headers.get("Range", ""), size)
    start, stop = asked or (0, size)
    if asked and start >= stop:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(
        _Part(file, start, stop), status=206 if asked else 200, content_type=content_type
    )
    if asked:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    response["Content-Length"] = str(stop - start)
    response["Content-Disposition"] = content_disposition_header(not played, filename) or "inline"
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _asked(header: str, size: int) -> tuple[int, int] | None:
    """Start and stop of the one range asked for, stop excluded; None where all is wanted.

    An empty range, start >= stop, is one that cannot be satisfied.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        return max(0, size - int(last)), size
    if last and int(last) < int(first):  # invalid, and to be ignored
        return None
    return int(first), min(size, int(last) + 1) if last else size


class _Part:
    """Bytes start to stop of an open file, in blocks; the server closes it after the response."""

    def __init__(self, file: File[Any], start: int, stop: int) -> None:
        self._file, self._start, self._stop = file, start, stop

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        left = self._stop - self._start
        while left > 0 and (block := self._file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block

    def close(self) -> None:
        self._file.close()
