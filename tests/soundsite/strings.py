"""The strings that visitors read, as the sources mark them, and a catalogue of translations.

It needs no gettext: where `makemessages` runs, it finds the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
SINGULAR = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
_LITERAL = r"""u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALL = re.compile(rf"\b(n?gettext|_)\(\s*({_LITERAL})(?:\s*,\s*({_LITERAL}))?", re.DOTALL)

Marked = tuple[str, str]  # a string and its plural, which is empty for most


@dataclass
class Entry:
    """A string of the catalogue with its translations, two where it has a plural."""

    plural: str
    translations: list[str]
    fuzzy: bool


def templates() -> list[Path]:
    """Of visitors: the administration is in English alone."""
    return [
        path
        for path in sorted((ROOT / "templates").rglob("*"))
        if path.is_file() and not path.is_relative_to(ROOT / "templates" / "admin")
    ]


def modules() -> list[Path]:
    folders = (ROOT / name for name in ("matcher", "tracks", "soundsite"))
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [path for path in paths if not {"admin", "admin.py", "migrations"} & set(path.parts)]


def marked_in_template(path: Path) -> Iterator[Marked]:
    for _, singular, plural in _CALL.findall(templatize(path.read_text(), origin=str(path))):
        yield ast.literal_eval(singular), ast.literal_eval(plural or "''")


def marked_in_module(path: Path) -> Iterator[Marked]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (name := _name(node.func)) in SINGULAR | PLURAL:
            yield _text(node, 0, path), _text(node, 1, path) if name in PLURAL else ""


def _name(function: ast.expr) -> str:
    return getattr(function, "id", None) or getattr(function, "attr", "")


def _text(call: ast.Call, place: int, path: Path) -> str:
    literal = call.args[place]
    assert isinstance(literal, ast.Constant), f"{path}:{call.lineno} marks what is no literal"
    return str(literal.value)


def read_catalogue(path: Path) -> dict[str, Entry]:
    """A .po file; the header is the entry of the empty string."""
    blocks = path.read_text().strip().split("\n\n")
    return dict(_entry(block) for block in blocks if not block.startswith("#~"))


def _entry(block: str) -> tuple[str, Entry]:
    parts: dict[str, str] = {}
    key = ""
    for line in block.splitlines():
        if line.startswith("#"):
            continue
        word, _, literal = line.partition(" ") if line.startswith("msg") else (key, "", line)
        key = word
        parts[key] = parts.get(key, "") + ast.literal_eval(literal)
    translations = [text for word, text in parts.items() if word.startswith("msgstr")]
    fuzzy = bool(re.search(r"^#,.*fuzzy", block, re.MULTILINE))
    return parts["msgid"], Entry(parts.get("msgid_plural", ""), translations, fuzzy)


def placeholders(text: str) -> list[str]:
    """What is filled in, and the markup around it, in no order."""
    return sorted(re.findall(r"%\(\w+\)\w|%[.\d]*[sdf%]|\{\w+\}|<[^>]+>", text))


def unmarked(path: Path) -> list[str]:
    """Words of a template, in its text or in attributes that are read out, beside gettext."""
    source = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.S)
    source = re.sub(r"{% block main_class %}\w+", "", source)  # a class, not a word
    source = re.sub(r"{% blocktrans.*?{% endblocktrans\w* %}", "", source, flags=re.S)
    words = _Words()
    words.feed(re.sub(r"{%.*?%}|{{.*?}}", "", source, flags=re.S))
    words.close()
    return words.found


class _Words(HTMLParser):
    SPOKEN = ("alt", "aria-label", "placeholder", "title")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        for name, value in attrs:
            if name in self.SPOKEN:
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        self.found += re.findall(r"[^\W\d_]{2,}", data)
