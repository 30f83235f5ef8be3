"""When a peer's environment is made, with an installer that only looks like one."""

from __future__ import annotations

import subprocess

import pytest

from benchmarks.environments import python_of
from ml.errors import SoundError

INSTALLER = """#!/bin/sh
echo "$@" >> "{folder}/calls"
test ! -e "{folder}/broken" || exit 1
if [ "$1" = venv ]; then
    for home; do :; done
    mkdir -p "$home/bin" && ln -sf /bin/true "$home/bin/python"
fi
"""


class Uv:
    """A uv on the path that makes a folder and installs nothing."""

    def __init__(self, folder):
        self.folder = folder
        program = folder / "uv"
        program.write_text(INSTALLER.format(folder=folder))
        program.chmod(0o755)

    @property
    def calls(self):
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def uv(tmp_path, monkeypatch):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    return Uv(bin_folder)


@pytest.fixture
def requirements(tmp_path):
    path = tmp_path / "requirements-fake.txt"
    path.write_text("fake==1\n")
    return path


def test_an_environment_is_made_once_from_hashes_alone(uv, requirements, tmp_path):
    python = python_of(requirements, tmp_path / "peers")
    assert subprocess.run([python], check=False).returncode == 0
    assert python_of(requirements, tmp_path / "peers") == python
    make, install = uv.calls
    assert make.startswith("venv --clear")
    assert "--no-deps --require-hashes" in install


def test_other_requirements_make_another_environment_beside_it(uv, requirements, tmp_path):
    first = python_of(requirements, tmp_path / "peers")
    requirements.write_text("fake==2\n")
    assert python_of(requirements, tmp_path / "peers") != first
    assert first.exists()


def test_what_could_not_be_made_is_said_and_tried_again(uv, requirements, tmp_path):
    broken = uv.folder / "broken"
    broken.touch()
    with pytest.raises(SoundError) as refusal:
        python_of(requirements, tmp_path / "peers")
    assert refusal.value.code == "peer-environment"
    broken.unlink()
    assert python_of(requirements, tmp_path / "peers").exists()
