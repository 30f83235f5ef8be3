"""The lists of pinned packages agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[a-z-]+\])?==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-gpu.txt"])
def test_every_environment_has_the_versions_of_the_site(name: str) -> None:
    site, other = _pinned("requirements.txt"), _pinned(name)
    assert len(site) > 50
    missing = {package for package, version in site.items() if other.get(package) != version}
    assert missing == ({"tensorflow-cpu"} if "gpu" in name else set())


def test_a_gpu_is_trained_on_by_the_same_release_of_tensorflow() -> None:
    gpu = _pinned("requirements-gpu.txt")
    assert gpu["tensorflow"] == _pinned("requirements.txt")["tensorflow-cpu"]
    assert any(package.startswith("nvidia-cudnn") for package in gpu)
