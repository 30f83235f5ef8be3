"""What the catalogue tells applications above it, which it does not know."""

from __future__ import annotations

from django.dispatch import Signal

# Within the transaction that merges two tracks, before the row of `gone` goes: kept, gone.
merging = Signal()
