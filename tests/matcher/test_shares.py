"""An answer shared by a link: what the link shows, to whom, and until when."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from matcher import jobs, services, shares
from matcher.models import Share, State, Upload
from tests.matcher.conftest import Upper
from tests.matcher.sounds import tone

UNKNOWN = "x" * 32


@pytest.fixture
def link(answered: Upload) -> str:
    """The address of a link that is open, by path."""
    made = shares.share(answered)
    assert made is not None
    return f"/s/{made.token}/"


def ended(what: str) -> None:
    """Every link is revoked or has expired."""
    now, month = timezone.now(), timedelta(days=31)
    changes = {
        "revoked": {"revoked_at": now},
        "expired": {"created_at": now - month, "expires_at": now - timedelta(seconds=1)},
    }
    Share.objects.update(**changes[what])


# --- what the link shows -------------------------------------------------------------------


def test_whoever_has_the_link_reads_the_answer(client: Client, link: str) -> None:
    response = client.get(link)
    page = response.content.decode()
    assert response.status_code == 200
    for words in ("Piece 0", "Piece 1", "song.mp3", "0:12–0:18"):
        assert words in page


def test_the_page_neither_names_its_owner_nor_leads_to_what_is_theirs(
    client: Client, link: str, answered: Upload, owner: Any
) -> None:
    page = client.get(link).content.decode()
    for secret in (owner.username, owner.email, str(answered.pk), answered.sha256):
        assert secret not in page
    assert "<form" not in page
    assert "hx-" not in page
    links = set(re.findall(r'(?:href|src)="([^"]*)"', page))
    private = {one for one in links if one.startswith("/uploads/") and one != "/uploads/new/"}
    assert not private


def test_a_signed_in_reader_sees_the_same_page(
    stranger_client: Client, stranger: Any, link: str
) -> None:
    page = stranger_client.get(link).content.decode()
    assert "Piece 0" in page
    assert stranger.username not in page
    assert "<form" not in page


@pytest.mark.parametrize("path", ["", "export.json", "audio/", "delete/"])
def test_the_link_opens_nothing_else(
    client: Client, link: str, answered: Upload, path: str
) -> None:
    client.get(link)
    assert client.get(f"/uploads/{answered.pk}/{path}").status_code == 302


def test_the_link_can_change_nothing(client: Client, link: str) -> None:
    for method in (client.post, client.put, client.delete):
        assert method(link).status_code == 405
    assert Upload.objects.exists()


def test_the_query_is_heard_by_the_link_and_can_be_sought_in(
    client: Client, upload: Upper, owner: Any
) -> None:
    sound = tone(1)
    made = shares.share(upload(State.FINISHED, content=sound))
    assert made is not None
    path = f"/s/{made.token}/audio/"
    response = client.get(path, headers={"Range": "bytes=10-19"})
    assert (response.status_code, response["Content-Type"]) == (206, "audio/wav")
    assert b"".join(response) == sound[10:20]


def test_the_player_of_the_page_plays_by_the_link(client: Client, link: str) -> None:
    assert f'src="{link}audio/"' in client.get(link).content.decode()


def test_a_question_about_an_upload_is_heard_as_that_upload(
    client: Client, answered: Upload, upload: Upper, owner: Any
) -> None:
    asked = upload(State.FINISHED, parent=answered)
    services.default_storage.delete(str(asked.audio))
    Upload.objects.filter(pk=asked.pk).update(audio="", size=0)
    made = shares.share(asked)
    assert made is not None
    response = client.get(f"/s/{made.token}/audio/")
    assert b"".join(response) == b"sound"


def test_the_picture_of_the_codes_is_seen_by_the_link(
    client: Client, link: str, answered: Upload
) -> None:
    assert client.get(f"{link}strip.png").status_code == 404
    Upload.objects.update(strip=b"\x89PNG")
    response = client.get(f"{link}strip.png")
    assert (response.content, response["Content-Type"]) == (b"\x89PNG", "image/png")


@pytest.mark.parametrize("path", ["", "audio/"])
def test_the_address_is_told_to_nobody_and_kept_nowhere(
    client: Client, link: str, path: str
) -> None:
    response = client.get(link + path)
    response.close()
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Cache-Control"] == "private, no-store"


def test_a_search_engine_that_reads_only_the_page_is_told_too(client: Client, link: str) -> None:
    assert '<meta name="robots" content="noindex, nofollow">' in client.get(link).content.decode()


def test_while_the_answer_is_made_anew_the_link_says_so(
    client: Client, link: str, answered: Upload
) -> None:
    jobs.queue_again(answered)
    response = client.get(link)
    assert response.status_code == 404
    assert "no answer here at the moment" in response.content.decode()


# --- how it ends ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "audio/", "strip.png"])
def test_an_unknown_link_is_not_found(client: Client, link: str, path: str) -> None:
    assert client.get(f"/s/{UNKNOWN}/{path}").status_code == 404


@pytest.mark.parametrize("what", ["revoked", "expired"])
@pytest.mark.parametrize("path", ["", "audio/", "strip.png"])
def test_a_link_that_has_ended_says_so_and_shows_nothing(
    client: Client, link: str, what: str, path: str
) -> None:
    ended(what)
    response = client.get(link + path)
    page = response.content.decode()
    assert response.status_code == 410
    assert "This link has ended" in page
    assert "Piece 0" not in page
    assert "song.mp3" not in page


@pytest.mark.django_db(transaction=True)
def test_deleting_the_upload_ends_its_links(client: Client, link: str, answered: Upload) -> None:
    path = Path(answered.audio.path)
    services.delete_upload(answered)
    assert client.get(link).status_code == 404
    assert client.get(f"{link}audio/").status_code == 404
    assert not path.exists()
    assert not Share.objects.exists()


def test_the_end_of_one_link_leaves_another_open(client: Client, answered: Upload) -> None:
    first, second = shares.share(answered), shares.share(answered)
    assert first is not None
    assert second is not None
    assert first.token != second.token
    assert shares.revoke(answered, first.pk)
    assert client.get(f"/s/{first.token}/").status_code == 410
    assert client.get(f"/s/{second.token}/").status_code == 200


# --- the owner's part ----------------------------------------------------------------------


def test_the_owner_makes_a_link_sees_it_and_revokes_it(
    owner_client: Client, client: Client, answered: Upload
) -> None:
    here = f"/uploads/{answered.pk}/"
    made = owner_client.post(f"{here}shares/")
    assert made["Location"] == f"{here}#shares"
    share = Share.objects.get()
    assert share.expires_at - share.created_at > timedelta(days=29, hours=23)
    page = owner_client.get(here).content.decode()
    assert f"http://testserver/s/{share.token}/" in page
    assert client.get(f"/s/{share.token}/").status_code == 200
    told = owner_client.post(f"{here}shares/{share.pk}/revoke/", follow=True).content.decode()
    assert "The link was revoked" in told
    assert share.token not in told
    assert client.get(f"/s/{share.token}/").status_code == 410


def test_a_token_has_at_least_128_random_bits(answered: Upload) -> None:
    tokens = {made.token for made in (shares.share(answered) for _ in range(5)) if made}
    assert len(tokens) == 5
    assert all(re.fullmatch(r"[\w-]{32}", token) for token in tokens)  # of 6 bits each


def test_only_the_owner_makes_and_revokes_links(
    stranger_client: Client, answered: Upload, link: str
) -> None:
    share = Share.objects.get()
    for path in ("shares/", f"shares/{share.pk}/revoke/"):
        assert stranger_client.post(f"/uploads/{answered.pk}/{path}").status_code == 404
        assert Client().post(f"/uploads/{answered.pk}/{path}").status_code == 302
    assert Share.objects.get().open


def test_a_link_of_another_upload_is_not_revoked_by_its_number(
    owner_client: Client, answered: Upload, upload: Upper
) -> None:
    share = shares.share(upload(State.FINISHED))
    assert share is not None
    owner_client.post(f"/uploads/{answered.pk}/shares/{share.pk}/revoke/")
    assert Share.objects.get().open


@pytest.mark.parametrize("state", [State.QUEUED, State.ENCODING, State.FAILED])
def test_there_is_nothing_to_share_without_an_answer(upload: Upper, state: State) -> None:
    assert shares.share(upload(state)) is None


def test_no_more_than_ten_links_are_open_at_once(owner_client: Client, answered: Upload) -> None:
    for _ in range(shares.MOST):
        assert shares.share(answered)
    response = owner_client.post(f"/uploads/{answered.pk}/shares/", follow=True)
    assert "No further link could be made" in response.content.decode()
    ended("expired")
    assert shares.share(answered)
