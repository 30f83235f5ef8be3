"""Fills the demo catalogue, package by package, and resumes where it was stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.files.base import ContentFile

from tracks.demo.debian import UnavailableError, songs_of
from tracks.demo.listing import Package, Song, packages
from tracks.demo.pieces import ARTIST, LICENCE, Generated, pieces
from tracks.models import Track
from tracks.services import demo
from tracks.services.catalogue import Texts, add_track

# Fewer tracks than this are no catalogue to match against.
ENOUGH = 24
_ROW_SECONDS = 1.0


class Watch(Protocol):
    """Whoever shows the progress in the terminal."""

    def step(self, what: str, done: int, total: int) -> None:
        """One step has come so far; `total` is the same throughout the step."""

    def line(self, text: str) -> None:
        """A sentence that stays."""


class Progress:
    """Tells the terminal at once, and the row of the catalogue page once a second."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._row_at = watch, 0.0

    def step(self, what: str, done: int, total: int) -> None:
        self._watch.step(what, done, total)
        if time.monotonic() > self._row_at + _ROW_SECONDS:
            self._row_at = time.monotonic()
            demo.say(f"{what}: {100 * min(done, total) // total} %")

    def line(self, text: str) -> None:
        self._watch.line(text)
        demo.say(text)


def fill(watch: Watch, first: int | None = None) -> None:
    """Imports what is missing of the smallest `first` packages, or of all.

    Where packages cannot be had, says so in one sentence and composes a catalogue instead, unless
    there is one to work with.
    """
    progress = Progress(watch)
    try:
        _fill(progress, packages()[:first], may_compose=first is not None)
    finally:
        demo.say("", running=False)


def _fill(progress: Progress, wanted: tuple[Package, ...], may_compose: bool) -> None:
    missing = [package for package in wanted if not _complete(package)]
    if may_compose and missing and Track.objects.filter(generated=True).count() >= ENOUGH:
        return progress.line("The composed demo catalogue is in place.")
    try:
        for place, package in enumerate(missing, 1):
            _import_package(progress, package, f"({place} of {len(missing)})")
    except UnavailableError as error:
        progress.line(f"Debian's packages cannot be had here: {error}.")
        if Track.objects.shown().count() < ENOUGH:
            compose_pieces(progress)
    return None


def _complete(package: Package) -> bool:
    """All its songs are there, or were once and were deleted in part: that is to be respected."""
    there = Track.objects.filter(sha256__in=[song.sha256 for song in package.songs]).count()
    return there == len(package.songs) or (there > 0 and package.name in demo.packages_done())


def _import_package(progress: Progress, package: Package, place: str) -> None:
    what = f"Fetching {package.name} {place}"
    work = Path(settings.SOUNDSITE_DATA) / "demo"
    progress.step(what, 0, package.size)
    songs = songs_of(package, work, lambda size: progress.step(what, size, package.size))
    found = 0
    for song, content in songs:
        if not Track.objects.filter(sha256=song.sha256, withdrawn_at__isnull=False).exists():
            add_track(ContentFile(content), _texts(package, song))
        found += 1
        progress.step(f"Importing {package.name} {place}", found, len(package.songs))
    demo.package_done(package.name)
    progress.line(f"{package.name}: {found} of {len(package.songs)} tracks")


def _texts(package: Package, song: Song) -> Texts:
    return Texts(
        title=song.title,
        artist=song.artist,
        soundtrack=song.soundtrack,
        licence=song.licence,
        source=f"Debian package {package.name}",
    )


def compose_pieces(progress: Progress) -> None:
    """Composes the pieces that the catalogue lacks, labelled as generated."""
    wanted = list(pieces())
    for done, piece in enumerate(wanted):
        progress.step("Composing a catalogue", done, len(wanted))
        if not Track.objects.filter(source=piece.source).exists():
            add_track(ContentFile(piece.flac()), _generated_texts(piece))
    progress.line(f"{len(wanted)} pieces were composed instead, labelled as generated.")


def _generated_texts(piece: Generated) -> Texts:
    return Texts(
        title=piece.title,
        artist=ARTIST,
        soundtrack=piece.soundtrack,
        licence=LICENCE,
        source=piece.source,
        generated=True,
    )
