"""Fetch the music that likeness is measured on: 224 pieces of 17 Debian packages, 624 MB.

    python -m benchmarks.music FOLDER

The demo catalogue comes to lie below FOLDER/demo, the rest below FOLDER/train, each piece in the
folder of its soundtrack. What is there is not fetched again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from tracks.demo.debian import UnavailableError, songs_of
from tracks.demo.listing import LISTING, Package, packages

LISTINGS = {"demo": LISTING, "train": Path(__file__).with_name("train.csv")}


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.music", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args(arguments).folder
    console = Console(stderr=True)
    try:
        for package, below in missing(folder):
            console.print(f"fetching {package.name}", markup=False)
            fetch(package, below, folder / "work")
    except UnavailableError as error:
        console.print(f"The music cannot be had: {error}", markup=False)
        return 1
    return 0


def missing(folder: Path) -> Iterator[tuple[Package, Path]]:
    """The packages of which a piece is missing, and the folder that they belong below."""
    for name, listing in LISTINGS.items():
        for package in packages(listing):
            below = folder / name
            if not all((below / song.soundtrack / song.file).exists() for song in package.songs):
                yield package, below


def fetch(package: Package, below: Path, work: Path) -> None:
    """Download a package and put its pieces into the folders of their soundtracks."""
    for song, content in songs_of(package, work, lambda count: None):
        path = below / song.soundtrack / song.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
