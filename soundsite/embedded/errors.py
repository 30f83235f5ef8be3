"""What keeps the site from starting, as a sentence for the person at the terminal."""

from __future__ import annotations


class StartError(Exception):
    pass


class InUse(StartError):
    """Another process holds the data folder."""
