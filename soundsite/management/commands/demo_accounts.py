"""The two accounts of a demonstration: a person and an administrator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Make the demo accounts of a JSON file: user, password, admin_user, admin_password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        accounts = json.loads(file.read_text())
        _ensure(accounts["user"], accounts["password"], administrator=False)
        _ensure(accounts["admin_user"], accounts["admin_password"], administrator=True)


def _ensure(name: str, password: str, *, administrator: bool) -> None:
    """The account exists and the password in the file is the one that opens it."""
    people = get_user_model().objects
    rights = {"is_staff": administrator, "is_superuser": administrator}
    person, _ = people.get_or_create(
        username=name, defaults={"email": f"{name}@soundsite.example", **rights}
    )
    if not person.check_password(password):
        person.set_password(password)
        person.save(update_fields=["password"])
