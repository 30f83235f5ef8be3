"""Writes of the one row that tells how far the demo catalogue has come."""

from __future__ import annotations

from django.db import transaction

from tracks.models import DemoFill


def say(message: str, *, running: bool = True) -> None:
    """What is under way, for the catalogue page; also the sign that the fill is alive."""
    DemoFill.objects.update_or_create(pk=1, defaults={"message": message, "running": running})


def package_done(name: str) -> None:
    """The package need not be fetched again, even if an administrator deletes some of it."""
    with transaction.atomic():
        fill, _ = DemoFill.objects.select_for_update().get_or_create(pk=1)
        fill.packages_done = sorted({*fill.packages_done, name})
        fill.save()


def packages_done() -> set[str]:
    return set(DemoFill.objects.filter(pk=1).values_list("packages_done", flat=True).first() or ())
