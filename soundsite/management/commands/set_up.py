"""What every start of the site does first, in one process because each takes a second to load."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Migrate the database, install the bundled model and make the demo accounts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("accounts", help="the JSON file of the demo accounts")

    def handle(self, *args: Any, accounts: str, **options: Any) -> None:
        call_command("check", databases=["default"], stdout=StringIO())
        call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        call_command("install_model", stdout=self.stdout)
        call_command("demo_accounts", accounts, stdout=self.stdout)
