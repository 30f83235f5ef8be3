"""What a training may be asked to do otherwise, as JSON.

The web process checks it too: no NumPy, and jsonschema only when there is something to check.

The names are those of `ml.settings.ModelSettings`; what serving relies on (sample rate, stride)
cannot be changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import ValidationError


def _whole(minimum: int, maximum: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def _real(minimum: float, maximum: float) -> dict[str, Any]:
    return {"type": "number", "minimum": minimum, "maximum": maximum}


def _names(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_names(
        width=_whole(4, 1024),
        latent_dim=_whole(2, 256),
        codebooks=_whole(1, 32),
        codebook_size=_whole(2, 4096),
        temperature=_real(0.01, 10),
        loss_weights=_names(commitment=_real(0, 100), contrastive=_real(0, 100)),
        features=_names(
            n_fft={"enum": [512, 1024, 2048, 4096]},
            hop_length={"enum": [128, 256, 512, 1024]},
            n_mels=_whole(64, 256),
            fmin=_real(0, 1000),
            fmax=_real(2000, 11_025),
            n_mfcc=_whole(4, 64),
        ),
    ),
}


def problem(overrides: Any) -> str:
    """One sentence that says what is wrong; empty where nothing is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(SCHEMA).iter_errors(overrides))
    return _sentence(error) if error else ""


def parse(text: str) -> dict[str, Any]:
    """The overrides in a JSON text.

    Raises:
        ValueError: with one sentence for whoever wrote it.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"This is no JSON: {error.msg} in line {error.lineno}.") from error
    if sentence := problem(found):
        raise ValueError(sentence)
    overrides: dict[str, Any] = found
    return overrides


def _sentence(error: ValidationError) -> str:
    place = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema["properties"]))
        known = ", ".join(error.schema["properties"])
        return f"Unknown setting {_under(place, unknown[0])}; known are {known}."
    if error.validator in ("minimum", "maximum"):
        low, high = error.schema["minimum"], error.schema["maximum"]
        return f"{place} is {error.instance}, but must be from {low} to {high}."
    if error.validator == "enum":
        return f"{place} is {error.instance}, but must be one of {error.validator_value}."
    shown = json.dumps(error.instance)
    return f"{place or 'The whole'} is {shown}, but must be of the type {error.validator_value}."


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def merged(defaults: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with what was asked for in their place, group by group."""
    return {
        name: merged(value, overrides.get(name, {}))
        if isinstance(value, Mapping)
        else overrides.get(name, value)
        for name, value in defaults.items()
    }
