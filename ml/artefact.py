"""A trained model as a folder: `manifest.json` names every other file with its sha-256.

Standard library only. The digest of a folder is the sha-256 of its manifest, so that one value,
kept in the database, vouches for weights, statistics and settings together.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ml.errors import ArtefactError

MANIFEST = "manifest.json"
ENCODER = "encoder.tflite"
DECODER = "decoder.tflite"
FORMAT = 1


def digest(folder: Path) -> str:
    """The sha-256 of a folder's manifest, in hex.

    Raises:
        ArtefactError: `artefact-missing` where there is no manifest.
    """
    return hashlib.sha256(_read(folder / MANIFEST)).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder, its files not yet checked.

    Raises:
        ArtefactError: `artefact-missing`, or `artefact-format` where it is no manifest of ours.
    """
    try:
        manifest = json.loads(_read(folder / MANIFEST))
    except ValueError as error:
        raise ArtefactError("artefact-format", f"{folder.name}: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtefactError("artefact-format", f"{folder.name}: not a manifest of format {FORMAT}")
    return manifest


def verify(folder: Path, *, sha256: str | None = None) -> dict[str, Any]:
    """The manifest of a folder after every file was checked against it.

    Args:
        sha256: the digest that the manifest itself must have, if known.

    Raises:
        ArtefactError: `artefact-missing`, `artefact-format` or `artefact-digest`.
    """
    if sha256 is not None and (found := digest(folder)) != sha256:
        raise ArtefactError("artefact-digest", f"{folder.name}: {found}, expected {sha256}")
    manifest = read_manifest(folder)
    for name, expected in manifest["files"].items():
        found = hashlib.sha256(_read(folder / name)).hexdigest()
        if found != expected:
            raise ArtefactError("artefact-digest", f"{name}: {found}, expected {expected}")
    return manifest


def write_manifest(folder: Path, contents: dict[str, Any]) -> None:
    """Write the manifest of a finished folder: `contents` and the sha-256 of every file in it."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix in {".npz", ".tflite"}
    }
    manifest = {"format": FORMAT, **contents, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtefactError("artefact-missing", f"{path.name}: {error.strerror}") from error
