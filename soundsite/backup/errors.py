"""Why a backup or a restore is refused: one sentence for each code."""

from __future__ import annotations

SENTENCES = {
    "backup-exists": "The file is there already; choose another name, or give --force.",
    "backup-write": "The backup could not be written.",
    "backup-unmigrated": "The database lacks migrations of this release; run migrate first.",
    "backup-unreadable": "The file could not be opened.",
    "backup-foreign": "The file is no backup of Soundsite.",
    "backup-damaged": "The file is damaged or incomplete; nothing was restored.",
    "backup-newer": "The file has a newer format than this release reads; update Soundsite first.",
    "backup-release": (
        "The file is of another release; restore it with that release, then update as usual."
    ),
    "backup-model": (
        "This release brings a bundled model with other weights; restore with the release of the "
        "backup."
    ),
    "backup-not-empty": (
        "This installation is in use, and a restore never overwrites anything; give the restore a "
        "new folder (SOUNDSITE_DATA) or an empty database (DATABASE_URL)."
    ),
    "backup-in-the-way": (
        "Another file of the same name is there already; move it away and restore again."
    ),
}


class BackupError(Exception):
    """Refused with a stable code; the detail says what was found."""

    def __init__(self, code: str, detail: str = "") -> None:
        text = f"{code}: {SENTENCES[code]}"
        super().__init__(f"{text} ({detail})" if detail else text)
        self.code = code
        self.detail = detail
