"""Why a track is not in the catalogue or its index: one sentence for each code."""

from __future__ import annotations

REASONS = {
    "empty-file": "The file is empty.",
    "not-audio": "The file is of no audio format that is read here.",
    "reference": "The file only names other files, as a playlist does.",
    "damaged": "The file begins like audio, but no sound could be read from it.",
    "silent": "The file holds only silence.",
    "too-short": "The file is too short to be compared.",
    "too-long": "The file is longer than this site takes.",
    "decoder-limit": "Decoding the file took more time or memory than one file may take.",
    "decoder-crashed": "The file crashed the decoder.",
    "duplicate": "The catalogue has this very audio already.",
    "too-large": "The file is larger than this site takes.",
    "withdrawn": "This very audio was withdrawn from the catalogue.",
    "zip-damaged": "The zip is damaged, or is none.",
    "zip-encrypted": "The zip has a password.",
    "nothing-to-import": "Nothing among the files may be music.",
    "unreadable": "The file could not be opened.",
    "file-absent": "The list names this file, but it is not there.",
    "bad-row": "This row of the list cannot be read.",
    "file-missing": "The stored audio file is gone.",
    "file-unreachable": "The media store did not answer, several times.",
    "time-limit": "Indexing took longer than the time limit.",
    "worker-lost": "Several workers were lost on it.",
    "artefact-missing": "Files of the model version are missing.",
    "artefact-digest": "The model version's files are not those that were installed.",
    "artefact-format": "The model version's files cannot be read by this release.",
    "child-failed": "The command of the model ended with an error.",
    "name-taken": "A model version of that name exists already.",
    "internal": "An unexpected error; the worker's log has it.",
}


def reason(code: str, detail: str = "") -> str:
    """The sentence of a code, with the detail where there is one."""
    text = REASONS.get(code, REASONS["internal"])
    return f"{text} ({detail})" if detail else text
