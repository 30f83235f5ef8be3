"""The site in German: complete, chosen in the footer or by the browser, with numbers unharmed."""

from __future__ import annotations

import gettext
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from matcher.models import Match, State, Upload
from tests.soundsite import strings
from tracks.models import ModelVersion, Track

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
NAMES = {"soundsite", "Soundsite"}


# --- the catalogue -------------------------------------------------------------------------


def test_every_string_that_visitors_read_is_translated() -> None:
    """Missing ones: `manage.py makemessages` as in docs/operations.md, translate, compile."""
    there = strings.read_catalogue(strings.CATALOGUE)
    marked = [one for path in strings.templates() for one in strings.marked_in_template(path)]
    marked += [one for path in strings.modules() for one in strings.marked_in_module(path)]
    assert len(marked) > 200
    missing = {one for one in marked if not _translated(there.get(one[0]), one[1])}
    assert missing == set()


def _translated(entry: strings.Entry | None, plural: str) -> bool:
    if entry is None or entry.fuzzy or (plural and entry.plural != plural):
        return False
    return all(entry.translations) and len(entry.translations) == (2 if entry.plural else 1)


def test_translations_fill_in_the_same_and_have_the_same_markup() -> None:
    for text, entry in strings.read_catalogue(strings.CATALOGUE).items():
        originals = [text, entry.plural] if entry.plural else [text]
        for original, translation in zip(originals, entry.translations, strict=True):
            if text:  # not the header
                assert strings.placeholders(translation) == strings.placeholders(original), text


def test_the_compiled_catalogue_is_what_the_written_one_says() -> None:
    with strings.CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, entry in strings.read_catalogue(strings.CATALOGUE).items():
        if entry.plural:
            got = [compiled.ngettext(text, entry.plural, number) for number in (1, 2)]
            assert got == entry.translations
        elif text:
            assert compiled.gettext(text) == entry.translations[0]


@pytest.mark.parametrize("path", strings.templates(), ids=lambda path: path.name)
def test_no_template_has_words_that_cannot_be_translated(path: Path) -> None:
    words = {word for word in strings.unmarked(path) if not word.isupper()}  # such as JSON
    assert words - NAMES == set()


# --- the choice ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "language", "sentence"),
    [
        ("", "en-gb", "Which soundtrack does it sound like?"),
        ("en-US", "en-gb", "Which soundtrack does it sound like?"),
        ("fr", "en-gb", "Which soundtrack does it sound like?"),
        ("de-CH", "de", "Nach welchem Soundtrack klingt das?"),
    ],
)
def test_the_browser_says_which_language(
    client: Client, db: None, asked: str, language: str, sentence: str
) -> None:
    response = client.get("/", headers={"Accept-Language": asked})
    page = response.content.decode()
    assert f'<html lang="{language}">' in page
    assert f"<h1>{sentence}</h1>" in page
    assert "Accept-Language" in response["Vary"]


def test_the_footer_changes_the_language_and_comes_back(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/catalogue/?q=night").content.decode()
    assert '<input type="hidden" name="next" value="/catalogue/?q=night">' in page
    assert '<button class="link" name="language" value="de" lang="de">Deutsch</button>' in page
    response = client.post("/language/", {"language": "de", "next": "/catalogue/?q=night"})
    assert response["Location"] == "/catalogue/?q=night"
    english = {"Accept-Language": "en"}
    assert "<h1>Katalog</h1>" in client.get("/catalogue/", headers=english).content.decode()


def test_the_footer_sends_nobody_to_another_site(client: Client, db: None) -> None:
    form = {"language": "de", "next": "https://evil.example/"}
    assert client.post("/language/", form)["Location"] == "/"


def test_reading_a_page_in_any_language_needs_no_cookie(client: Client, db: None) -> None:
    client.get("/", headers=GERMAN)
    assert not client.cookies


def test_errors_are_german_too(client: Client, db: None) -> None:
    page = client.get("/nowhere/", headers=GERMAN).content.decode()
    assert "Hier ist nichts" in page
    assert '<html lang="de">' in page


def test_the_administration_stays_english(administrator_client: Client) -> None:
    page = administrator_client.get("/admin/matcher/upload/", headers=GERMAN).content.decode()
    assert 'lang="en-gb"' in page
    assert "Select upload to view" in page or "Uploads" in page
    assert "Abmelden" not in page


# --- pages ---------------------------------------------------------------------------------


@pytest.fixture
def answered(owner: Any) -> Upload:
    """An answer with fractions everywhere: scores, seconds, sizes."""
    version = ModelVersion.objects.create(
        name="first", location="nowhere", sha256="0" * 64, manifest={}, embedding_dim=4,
        state=ModelVersion.State.ACTIVE, activated_at=timezone.now(),
    )  # fmt: skip
    upload = Upload.objects.create(
        owner=owner, original_name="song.mp3", audio="uploads/x", size=1_500_000,
        state=State.FINISHED, finished_at=timezone.now(), duration=20.5, attempt=1,
        model_version=version,
    )  # fmt: skip
    for rank in (1, 2):
        track = Track.objects.create(
            title=f"Piece {rank}", audio=f"tracks/{rank}", sha256=str(rank) * 64, size=1,
            duration=10.25, year=2004,
        )  # fmt: skip
        Match.objects.create(
            upload=upload, rank=rank, track=track, score=61.25, distance=0.5,
            spans=[{"query": [1.5, 8.25], "match": [2.5, 9.75]}],
        )  # fmt: skip
    return upload


def test_an_answer_in_german(owner_client: Client, answered: Upload) -> None:
    page = owner_client.get(f"/uploads/{answered.pk}/", headers=GERMAN).content.decode()
    assert "Klingt wie Piece 1" in page.partition("</title>")[0]
    assert "Ähnlicher als der beste Treffer von 61 % unserer eigenen Stücke" in page


def test_sizes_and_times_are_written_as_germans_do(owner_client: Client, answered: Upload) -> None:
    page = owner_client.get("/uploads/", headers=GERMAN).content.decode()
    assert "1,4\xa0MB" in page
    assert "jetzt" in page or "vor" in page
    assert "Beantwortet" in page
    joined = owner_client.get("/account/", headers=GERMAN).content.decode()
    months = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August"]
    months += ["September", "Oktober", "November", "Dezember"]
    assert months[timezone.now().month - 1] in joined


class Attributes(HTMLParser):
    """Attributes that programs read, of all elements before the footer."""

    SPOKEN = {"aria-label", "title", "lang", "content", "value", "placeholder"}
    # What scripts say.
    SPOKEN |= {"data-yours", "data-theirs", "data-stopped", "data-over", "data-silent"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[Any]]] = []
        self.feed(page.partition('<footer class="foot')[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.found.append((tag, [one for one in attrs if one[0] not in self.SPOKEN]))


@pytest.mark.parametrize("path", ["/uploads/", "/uploads/{}/", "/account/", "/catalogue/"])
def test_what_programs_read_is_the_same_in_every_language(
    owner_client: Client, answered: Upload, path: str
) -> None:
    """A picture with 12,5 for 12.5 would be broken, and so would a script."""
    path = path.format(answered.pk)
    english = Attributes(owner_client.get(path).content.decode()).found
    german = Attributes(owner_client.get(path, headers=GERMAN).content.decode()).found
    assert english == german


def test_the_signs_of_another_app_are_german(client: Client, db: None) -> None:
    page = client.get("/accounts/signup/", headers=GERMAN).content.decode()
    assert "Konto anlegen" in page
    assert ">Anmeldename</label>" in page
    get_user_model().objects.create_user("olivia")
    form = {"username": "olivia", "email": "x", "password1": "1", "password2": "2"}
    refused = client.post("/accounts/signup/", form, headers=GERMAN).content.decode()
    assert "gültige E-Mail-Adresse" in refused
