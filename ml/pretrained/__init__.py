"""The model versions that come with the repository. Standard library only."""

from __future__ import annotations

from pathlib import Path

DEFAULT = Path(__file__).parent / "soundsite-1"
