"""The map is drawn by a worker once the index has come to rest, and only then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.tracks.elsewhere import held_elsewhere
from tracks import children, mapping, selectors, tasks
from tracks.models import IndexEntry, ModelVersion, Track
from tracks.services import index
from tracks.services import mapping as service

pytestmark = pytest.mark.django_db
State = IndexEntry.State


def indexed(version: ModelVersion, add: Callable[..., Track], count: int) -> list[IndexEntry]:
    """So many tracks, heard long enough ago; the first half sounds otherwise than the second."""
    original = add(0)
    IndexEntry.objects.all().delete()
    copies = [
        Track(title=f"Tune {n:03}", sha256=f"{n:064x}", size=1, audio=original.audio.name)
        for n in range(count - 1)
    ]
    tracks = [original, *Track.objects.bulk_create(copies)]
    long_ago = timezone.now() - timedelta(hours=1)
    return IndexEntry.objects.bulk_create(
        IndexEntry(
            track=track,
            model_version=version,
            state=State.INDEXED,
            embedding=_vector(number, number < count / 2),
            encoding=b"x",
            indexed_at=long_ago,
        )
        for number, track in enumerate(tracks)
    )


def _vector(seed: int, first: bool) -> list[float]:
    found = np.random.default_rng(seed).normal(0, 0.1, 8)
    found[0 if first else 1] += 1
    return [float(value) for value in found]


def places() -> np.ndarray:
    rows = IndexEntry.objects.order_by("pk").values_list("x", "y")
    return np.array([(np.nan, np.nan) if x is None else (x, y) for x, y in rows])


def test_a_version_at_rest_is_mapped_once_and_again_when_its_index_has_changed(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    assert not selectors.unmapped_versions()  # nothing was heard
    entries = indexed(version, add, 20)
    assert list(selectors.unmapped_versions()) == [version]
    tasks.lay_out(version.pk)
    assert np.isfinite(places()).all()
    version.refresh_from_db()
    assert version.mapped_at == entries[0].indexed_at
    assert not selectors.unmapped_versions()
    IndexEntry.objects.filter(pk=entries[0].pk).update(indexed_at=timezone.now())
    assert not selectors.unmapped_versions()  # more may follow
    later = timezone.now() - selectors.QUIET - timedelta(seconds=1)
    IndexEntry.objects.filter(pk=entries[0].pk).update(indexed_at=later)
    assert list(selectors.unmapped_versions()) == [version]
    IndexEntry.objects.filter(pk=entries[1].pk).update(state=State.PENDING)
    assert not selectors.unmapped_versions()  # one is pending


def test_what_sounds_alike_lies_together(version: ModelVersion, add: Callable[..., Track]) -> None:
    indexed(version, add, 24)
    assert mapping.lay_out(version)
    apart = np.linalg.norm(places()[:, None] - places()[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    half = np.arange(24) < 12
    assert np.array_equal(half[apart.argmin(axis=1)], half)


def test_a_message_too_many_draws_nothing(
    version: ModelVersion, add: Callable[..., Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(version, add, 9)
    tasks.lay_out(version.pk)
    drawn = places()
    monkeypatch.setattr(children, "run", None)
    tasks.lay_out(version.pk)
    assert np.array_equal(places(), drawn)


def test_the_sweep_asks_for_a_map_once_nothing_waits_to_be_indexed(
    version: ModelVersion,
    add: Callable[..., Track],
    sent: list[Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    indexed(version, add, 9)
    with django_capture_on_commit_callbacks(execute=True):
        waits = add(1)
        service.sweep()
    assert sent == [("tracks.tasks.index_entry", waits.entries.get().pk)]
    waits.delete()
    with django_capture_on_commit_callbacks(execute=True):
        service.sweep()
    assert sent[1:] == [(service.LAY_OUT_TASK, version.pk)]


def test_drawing_stops_for_a_track_that_comes_and_is_done_later(
    version: ModelVersion, add: Callable[..., Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(version, add, 9)
    add(1)
    monkeypatch.setattr(children, "_ended_within", lambda child, seconds: False)
    assert not mapping.lay_out(version)
    assert not IndexEntry.objects.filter(x__isnull=False).exists()
    version.refresh_from_db()
    assert version.mapped_at is None


def test_a_map_that_cannot_be_drawn_is_not_tried_for_ever(
    version: ModelVersion, add: Callable[..., Track], settings: Any
) -> None:
    indexed(version, add, 9)
    settings.MATCH_SOFT_LIMIT_SECONDS = -10
    assert mapping.lay_out(version)
    assert not IndexEntry.objects.filter(x__isnull=False).exists()
    assert not selectors.unmapped_versions()


def test_an_entry_that_failed_meanwhile_gets_no_place_and_one_that_fails_loses_its_own(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    entries = indexed(version, add, 2)
    gone = {"state": State.FAILED, "error_code": "damaged", "embedding": None, "encoding": None}
    IndexEntry.objects.filter(pk=entries[0].pk).update(**gone)
    service.keep(version, [entry.pk for entry in entries], [[0.1, 0.2]] * 2, timezone.now())
    assert IndexEntry.objects.get(pk=entries[0].pk).x is None
    kept = IndexEntry.objects.get(pk=entries[1].pk)
    assert (kept.x, kept.y) == (0.1, 0.2)
    IndexEntry.objects.filter(pk=kept.pk).update(state=State.PENDING)
    claimed = index.claim()
    assert claimed is not None
    assert index.fail(claimed, "damaged", "")
    assert IndexEntry.objects.get(pk=kept.pk).x is None


def test_a_place_that_hardly_moved_is_not_written(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    indexed(version, add, 3)
    before = np.array([[0.5, 0.5], [0.25, 0.5], [np.nan, np.nan]], np.float32)
    found = np.array([[0.5004, 0.5], [0.3, 0.5], [0.1, 0.9]], np.float32)
    pks = list(IndexEntry.objects.order_by("pk").values_list("pk", flat=True))
    mapping._keep(version, mapping.Heard(pks, found, before), found, timezone.now())
    np.testing.assert_allclose(places(), [[np.nan] * 2, [0.3, 0.5], [0.1, 0.9]], atol=1e-6)


@pytest.mark.parametrize("place", [{"x": 0.5}, {"x": 0.5, "y": 1.5}])
def test_the_database_refuses_half_a_place_and_one_outside_the_frame(
    version: ModelVersion, add: Callable[..., Track], place: dict[str, float]
) -> None:
    indexed(version, add, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexEntry.objects.update(**place)


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_draw_one_map_at_once(
    version: ModelVersion, add: Callable[..., Track]
) -> None:
    indexed(version, add, 2)
    with held_elsewhere(mapping._alone(version)):
        assert not mapping.lay_out(version)
    assert mapping.lay_out(version)


def test_a_child_that_fails_tells_its_last_words() -> None:
    with pytest.raises(children.ChildError, match=r"No module named ml\.nothing"):
        children.run("ml.nothing", [], seconds=30, unwanted=lambda: False)
