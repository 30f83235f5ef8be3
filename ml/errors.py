"""The errors of this library: a stable `code` for programs, a `detail` for operators."""

from __future__ import annotations


class SoundError(Exception):
    """Root of everything that this library raises on purpose.

    Attributes:
        code: stable, kebab-case; texts for people are looked up by it, never by the message.
        detail: what was found and what was expected, for a log or an administrator.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class AudioError(SoundError):
    """The file at hand cannot be used: not-audio, reference, damaged, silent, too-short, too-long,
    decoder-limit or decoder-crashed."""


class ArtefactError(SoundError):
    """A model artefact cannot be trusted: artefact-missing, artefact-digest or artefact-format."""


class TableError(SoundError):
    """A table of a data set cannot be used: table-missing or table-format."""
