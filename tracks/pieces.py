"""Pieces of the catalogue in memory, ready to be ranked: one store a process. Worker only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ml.encoding import Encoding
from ml.likeness import Piece
from tracks import runtime
from tracks.binary import binary_rows
from tracks.models import ModelVersion
from tracks.selectors import heard_entries

# Some 300 pieces of three to four minutes.
MOST_BYTES = 64 * 2**20

# An entry, and when it was heard: one that is heard anew is another piece.
Key = tuple[int, datetime | None]


@dataclass(frozen=True)
class Known:
    """A piece as it was heard, and as likeness needs it."""

    heard: Encoding
    piece: Piece

    @property
    def size(self) -> int:
        """In bytes, nearly: a piece that was laid along another keeps means of its windows, too."""
        steps, gaussian = self.piece.steps.vectors, self.piece.gaussian.covariance
        return 2 * steps.nbytes + 2 * gaussian.nbytes + self.heard.codes.nbytes


class Pieces:
    """What was ranked last, up to so many bytes; what was not asked for longest goes first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._most_bytes, self._bytes = most_bytes, 0

    def of(self, version: ModelVersion, entries: Mapping[int, datetime | None]) -> dict[int, Known]:
        """The pieces of the version's entries, by id and in their order.

        What is not known is read. An entry that has lost its vector since is left out.

        Args:
            entries: when each was heard, by id.
        """
        found = {}
        for key in entries.items():
            if key in self._known:
                self._known.move_to_end(key)
                found[key[0]] = self._known[key]
        missing = {pk: heard_at for pk, heard_at in entries.items() if pk not in found}
        found |= self._read(version, missing)
        return {pk: found[pk] for pk in entries if pk in found}

    def _read(
        self, version: ModelVersion, entries: Mapping[int, datetime | None]
    ) -> dict[int, Known]:
        if not entries:
            return {}
        rows = heard_entries(version).filter(pk__in=entries.keys())
        found = {}
        for number, stored in binary_rows(rows.values_list("pk", "encoding")):
            pk = int.from_bytes(number)
            heard = Encoding.from_bytes(stored)
            piece = runtime.load(version).piece(heard)
            piece.prepare()
            found[pk] = Known(heard, piece)
            # What was heard anew since is kept as what it was, which is not asked for again.
            self._keep((pk, entries[pk]), found[pk])
        return found

    def _keep(self, key: Key, known: Known) -> None:
        if key in self._known:
            return
        self._known[key] = known
        self._bytes += known.size
        while self._bytes > self._most_bytes:
            _, gone = self._known.popitem(last=False)
            self._bytes -= gone.size


pieces = Pieces()
