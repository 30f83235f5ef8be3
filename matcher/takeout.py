"""Everything of one person as a zip that is made while it is sent: its size is never in memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from matcher.belongings import SECTIONS, Places, Section
from matcher.models import Upload

logger = logging.getLogger(__name__)

DATA = "account.json"
_BLOCK = 64 * 1024
_NAME_BYTES = 180  # leaves room for a number and a folder wherever it is unpacked
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))


class _Sink:
    """A file for ZipFile that only grows at its end; what was written is taken away.

    Attributes:
        held: bytes that were not taken yet.
    """

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self.held = 0

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        self.held += len(block)
        return len(block)

    def flush(self) -> None:
        """There is nowhere to write it to."""

    def close(self) -> None:
        """Nor is there anything to close."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._blocks)
        self._blocks.clear()
        self.held = 0
        return taken


def archive(user: User) -> Iterator[bytes]:
    """The zip in blocks: the audio files under their shown names, then `account.json`.

    A file that the store has lost is left out; its upload has no `file` then.
    """
    sink = _Sink()
    for _ in _write(user, sink):
        if sink.held >= _BLOCK:
            yield sink.taken()
    yield sink.taken()


def _write(user: User, sink: _Sink) -> Iterator[None]:
    """Write the whole zip; pauses after every small step."""
    names = Names()
    with ZipFile(sink, "w") as packed:
        for upload in _with_files(user):
            yield from _pack(packed, upload, names)
        yield from _pack_data(packed, user, names.by_id)


def _with_files(user: User) -> Iterator[Upload]:
    rows = Upload.objects.filter(owner=user).exclude(audio="").order_by("created_at", "pk")
    fields = rows.only("audio", "original_name", "size", "created_at")
    return fields.iterator(chunk_size=200)


def _pack(packed: ZipFile, upload: Upload, names: Names) -> Iterator[None]:
    """Add one file."""
    try:
        source = default_storage.open(str(upload.audio), "rb")
    except FileNotFoundError:
        logger.warning("upload %s has no file to take away", upload.pk)
        return
    entry = _entry(names.give(upload), upload.created_at)
    entry.file_size = upload.size  # tells ZipFile whether it needs the long form
    with source, packed.open(entry, "w") as target:
        for block in source.chunks(_BLOCK):
            target.write(block)
            yield


def _entry(name: str, moment: datetime) -> ZipInfo:
    local = timezone.localtime(moment)
    entry = ZipInfo(name, (max(1980, local.year), *local.timetuple()[1:6]))
    entry.external_attr = 0o600 << 16
    entry.compress_type = ZIP_DEFLATED if name == DATA else ZIP_STORED
    return entry


def _pack_data(packed: ZipFile, user: User, places: Places) -> Iterator[None]:
    with packed.open(_entry(DATA, timezone.now()), "w", force_zip64=True) as target:
        for text in _data(user, places):
            target.write(text.encode())
            yield


def _data(user: User, places: Places) -> Iterator[str]:
    """One JSON object: when it was made, then each section as a list."""
    yield f'{{\n"made": {_json(timezone.now())}'
    for section in SECTIONS:
        yield f",\n{_json(section.name)}: ["
        yield from _records(section, user, places)
        yield "]"
    yield "\n}\n"


def _records(section: Section, user: User, places: Places) -> Iterator[str]:
    before = "\n"
    for record in section.records(user, places):
        yield before + _json(record)
        before = ",\n"


def _json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


class Names:
    """Names in the archive: as people know their files, but unique and fit for any file system.

    Attributes:
        by_id: the name that an upload was given.
    """

    def __init__(self) -> None:
        self.by_id: Places = {}
        self._taken: set[str] = set()

    def give(self, upload: Upload) -> str:
        stem, ending = _fit(upload.original_name)
        name, number = f"{stem}{ending}", 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem} ({number}){ending}"
        self._taken.add(name.casefold())
        self.by_id[upload.pk] = f"audio/{name}"
        return self.by_id[upload.pk]


def _fit(name: str) -> tuple[str, str]:
    """A shown name as stem and ending, without what some file system refuses."""
    stem, dot, ending = name.translate(_FORBIDDEN).rpartition(".")
    if not stem or len(ending) > 10:
        stem, dot, ending = f"{stem}{dot}{ending}", "", ""
    short = stem.strip(". ").encode()[:_NAME_BYTES].decode(errors="ignore").strip(". ")
    return short or "untitled", (dot + ending.strip()).rstrip(".")
