"""The catalogue as a table, CSV or XLSX: rows that name files of the media store, and rows out.

A row with the bytes of a known track changes that track; any other copies its file into the
catalogue. A dry run checks all that can be known without decoding, and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.template.defaultfilters import filesizeformat
from import_export import fields, resources
from import_export.formats.base_formats import CSV, XLSX

from tracks.media import ending_of
from tracks.models import Track
from tracks.outage import StoreAwayError
from tracks.reasons import reason
from tracks.services import catalogue
from tracks.tags import read_tags, readable

FORMATS = (CSV, XLSX)
TEXTS = (
    *("title", "artist", "soundtrack", "genre", "year"),
    *("licence", "source", "source_url", "subset"),
)


def _refusal(code: str, detail: str = "") -> ValidationError:
    return ValidationError({"audio": ValidationError(reason(code, detail), code=code)})


@contextmanager
def _opened(name: str) -> Iterator[File[Any]]:
    """A file of the media store, whatever a row may call it."""
    try:
        file = default_storage.open(name, "rb")
    except StoreAwayError as error:
        raise _refusal("file-unreachable", str(error)) from error
    except (OSError, SuspiciousOperation, ValueError) as error:
        raise _refusal("file-missing", f"{name or 'no name'} is no file of the store") from error
    with file:
        yield file


class TrackResource(resources.ModelResource):
    audio = fields.Field(attribute="audio", column_name="audio", readonly=True)
    sha256 = fields.Field(attribute="sha256", column_name="sha256", readonly=True)
    duration = fields.Field(attribute="duration", column_name="duration", readonly=True)

    class Meta:
        model = Track
        fields = ("audio", *TEXTS, "sha256", "duration")
        import_id_fields = ("audio",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rows: dict[str, int] = {}  # by SHA-256: which row of the table named these bytes
        self._written: list[str] = []
        self._seen: tuple[str, int] = ("", 0)
        self._known: Track | None = None

    def filter_export(self, queryset: Any, **kwargs: Any) -> Any:
        return queryset.filter(withdrawn_at=None)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Looks at the row's file, and says what is wrong with it."""
        row["audio"] = str(row.get("audio") or "").strip()
        year = str(row.get("year") or "").strip()
        if not re.fullmatch(r"(\d{1,4})?", year, re.ASCII):
            raise ValidationError({"year": f"{year} is no year"})
        with _opened(row["audio"]) as file:
            self._seen = _checked(file)
            self._known = Track.objects.filter(sha256=self._seen[0]).first()
            if self._known is None and not str(row.get("title") or "").strip():
                stem = PurePosixPath(row["audio"]).stem.replace("_", " ")
                row["title"] = read_tags(cast(BinaryIO, file)).title or readable(stem)
        first = self._rows.setdefault(self._seen[0], kwargs["row_number"])
        if first != kwargs["row_number"]:
            raise _refusal("duplicate", f"row {first} names the same bytes")
        if self._known is not None:
            _may_change(self._known, kwargs.get("user"))

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> Track | None:
        return self._known

    def after_init_instance(
        self, instance: Track, new: bool, row: dict[str, Any], **kwargs: Any
    ) -> None:
        if new:
            instance.audio.name = row["audio"]
            instance.sha256, instance.size = self._seen

    def save_instance(self, instance: Track, is_create: bool, row: Any, **kwargs: Any) -> None:
        """By the catalogue's own way in; the dry run has seen enough by now."""
        if self._is_dry_run(kwargs):
            return
        texts = {name: getattr(instance, name) for name in TEXTS}
        if not is_create:
            catalogue.renew(instance, texts)
            return
        with _opened(row["audio"]) as file:
            track, new = catalogue.add_track(file, catalogue.Texts(**texts))
        if not new:
            raise IntegrityError(reason("duplicate", str(track)))
        self._written.append(str(track.audio.name))
        instance.pk, instance.audio = track.pk, track.audio

    def import_data(self, *args: Any, **kwargs: Any) -> Any:
        """All rows or none; the files of rows that were taken back go too."""
        self._rows.clear()
        try:
            result = super().import_data(*args, **kwargs)
        except BaseException:
            self._discard()
            raise
        if result.has_errors():
            self._discard()
        return result

    def _discard(self) -> None:
        while self._written:
            default_storage.delete(self._written.pop())


def _checked(file: File[Any]) -> tuple[str, int]:
    """SHA-256 and size of a file that by its first bytes is audio."""
    if not file.size:
        raise _refusal("empty-file")
    if file.size > settings.UPLOAD_MAX_BYTES:
        most = filesizeformat(settings.UPLOAD_MAX_BYTES)
        raise _refusal("too-large", f"At most {most} are taken here.")
    if ending_of(file) is None:
        raise _refusal("not-audio")
    return catalogue.digest(file), file.size


def _may_change(track: Track, user: Any) -> None:
    if track.withdrawn_at:
        raise _refusal("withdrawn", str(track))
    if user is not None and not user.has_perm("tracks.change_track"):
        raise ValidationError({"audio": f"You may not change {track}, which has these bytes."})
