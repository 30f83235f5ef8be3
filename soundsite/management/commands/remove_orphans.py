"""Looks for files that no row points to, and deletes them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from soundsite import orphans


class Command(BaseCommand):
    help = "Delete the files of the media store that no row points to and that are a day old."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only name them")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if not dry_run:
            self.stdout.write(f"{orphans.remove_orphans()} files were removed.")
            return
        for name in orphans.orphans():
            self.stdout.write(name)
