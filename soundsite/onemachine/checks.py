"""script/test: every check and every test, on embedded servers of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from soundsite.embedded import child
from soundsite.onemachine import stores
from soundsite.onemachine.folder import Folder
from soundsite.onemachine.terminal import say

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Two processes, each with whole files of tests, whose order and fixtures belong together.
PARALLEL = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = {
    "Style": ["-m", "ruff", "check", "."],
    "Format": ["-m", "ruff", "format", "--check", "."],
    "Types": ["-m", "mypy"],
    "Imports": ["-c", LINT_IMPORTS],
    "Migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "System checks": ["manage.py", "check", "--database", "default", "--fail-level", "WARNING"],
}


def main(root: Path, arguments: list[str]) -> int:
    """0 only if all held. The tests run even if a check before them did not, to show it all."""
    _install_browser()
    folder = Folder.make(root / "var" / "test")
    with folder.taken("script/test"), stores.running(folder, durable=False) as servers:
        environment = stores.environment(root, folder, servers)
        failed = [title for title, line in CHECKS.items() if _run(root, environment, title, line)]
        if failed:
            say(f"These checks failed, see above: {', '.join(failed)}")
        tests = _run(root, environment, "Tests", ["-m", "pytest", *(arguments or PARALLEL)])
    return 1 if failed else tests


def _run(root: Path, environment: dict[str, str], title: str, line: list[str]) -> int:
    """The exit status of the environment's Python with the arguments `line`."""
    say(title)
    command = child.command([sys.executable, *line], on_orphan="TERM", owner=os.getpid())
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode


def _install_browser() -> None:
    """Debian's Chromium, where it is missing and may be installed."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say("Installing Debian's Chromium for the tests in a browser")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *arguments], env=quiet, stdout=sys.stderr, check=False)
