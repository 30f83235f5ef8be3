"""Licences that music is often under, by their SPDX identifiers (spdx.org/licenses)."""

from __future__ import annotations

SPDX = (
    *("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"),
    *("CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "CC-BY-3.0", "CC-BY-SA-3.0", "CC-BY-NC-3.0"),
    *("CC-BY-NC-SA-3.0", "CC-BY-NC-ND-3.0", "CC-BY-2.0", "CC-BY-SA-2.0", "CC-BY-SA-2.5"),
    *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"),
    *("LGPL-2.1-or-later", "LAL-1.3", "MIT", "Zlib", "BSD-2-Clause"),
)
