"""Models in memory, one a process and version. Worker only: LiteRT comes with it."""

from __future__ import annotations

import threading

from ml import isolated
from ml.encoding import Encoding
from ml.model import Model
from tracks.artefacts import folder_of
from tracks.models import ModelVersion
from tracks.selectors import active_version

_models: dict[str, Model] = {}
_loading = threading.Lock()


def load(version: ModelVersion) -> Model:
    """The version's model, from memory after the first call of the process.

    Raises:
        ml.errors.ArtefactError: its folder is missing, or is not what was registered.
        StoreAwayError: the folder is not on this host yet and cannot be fetched.
    """
    with _loading:
        if version.sha256 not in _models:
            _models[version.sha256] = Model.load(folder_of(version), sha256=version.sha256)
        return _models[version.sha256]


def warm_up() -> tuple[ModelVersion, Encoding] | None:
    """Starts the decoder and loads the active version, before the first job comes.

    Returns:
        That version, if there is one, and what it hears in noise.
    """
    isolated.decoder()
    version = active_version()
    return None if version is None else (version, load(version).warm_up())
