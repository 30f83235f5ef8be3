"""What is told of a backup at the end."""

from __future__ import annotations

from typing import Any

from soundsite.backup.archive import Manifest


def summary(manifest: Manifest) -> dict[str, Any]:
    rows = manifest.rows
    return {
        "made_at": manifest.made_at,
        "users": rows["auth_user"],
        "tracks": rows["tracks_track"],
        "uploads": rows["matcher_upload"],
        "files": manifest.count("media"),
        "model_versions": [version.name for version in manifest.versions],
        "missing": manifest.missing,
    }
