"""What a model is made of: everything in a manifest that decides its codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ml.features import FeatureSettings
from ml.overrides import merged


@dataclass(frozen=True)
class LossWeights:
    """Weights beside a reconstruction loss of weight one."""

    commitment: float = 0.25
    contrastive: float = 0.05


@dataclass(frozen=True)
class ModelSettings:
    """Shape and training of the VQ-VAE."""

    features: FeatureSettings = field(default_factory=FeatureSettings)
    width: int = 128
    latent_dim: int = 32
    codebooks: int = 16
    codebook_size: int = 256
    temperature: float = 0.2
    loss_weights: LossWeights = field(default_factory=LossWeights)
    stride: int = 4  # frames to one latent; two convolutions of stride 2

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    @classmethod
    def overridden(cls, overrides: Mapping[str, Any]) -> ModelSettings:
        """The defaults, but for what `ml.overrides` allows to be asked for."""
        values = merged(cls().as_dict(), overrides)
        features = FeatureSettings(**values.pop("features"))
        return cls(
            features=features, loss_weights=LossWeights(**values.pop("loss_weights")), **values
        )

    @property
    def code_seconds(self) -> float:
        """Seconds from one row of codes to the next."""
        return self.stride * self.features.frame_seconds
