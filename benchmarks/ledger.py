"""What became of every upload, as the database of a site tells; each ending as it happened."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg2

from benchmarks.site import Site

RUNNING = ("DECODING", "EXTRACTING", "ENCODING", "SEARCHING")
AWAY_SECONDS = 60.0

# Rows of the site tell how an upload stands; these tell how often it came to stand so.
_WATCH = """
    CREATE TABLE benchmark_ending (upload uuid, state text, attempt int);
    CREATE TABLE benchmark_matched (upload uuid, writer xid8);
    CREATE FUNCTION benchmark_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO benchmark_ending VALUES (NEW.id, NEW.state, NEW.attempt); RETURN NULL;
    END $$;
    CREATE FUNCTION benchmark_match() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO benchmark_matched VALUES (NEW.upload_id, pg_current_xact_id()); RETURN NULL;
    END $$;
    CREATE TRIGGER benchmark_end AFTER UPDATE ON matcher_upload FOR EACH ROW
        WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION benchmark_end();
    CREATE TRIGGER benchmark_match AFTER INSERT ON matcher_match FOR EACH ROW
        EXECUTE FUNCTION benchmark_match();
"""
_STANDS = """
    SELECT u.id::text, u.state, u.error_code, u.attempt,
        (SELECT count(*) FROM benchmark_ending AS e WHERE e.upload = u.id),
        (SELECT count(DISTINCT writer) FROM benchmark_matched AS m WHERE m.upload = u.id),
        (SELECT count(*) FROM matcher_match AS m WHERE m.upload_id = u.id)
    FROM matcher_upload AS u
"""


@dataclass(frozen=True)
class Standing:
    """How one upload stands.

    Attributes:
        endings: writes that left it ended; one, if all is well.
        sets: transactions that wrote matches for it.
        matches: rows of them.
    """

    upload: str
    state: str
    code: str
    attempt: int
    endings: int
    sets: int
    matches: int

    @property
    def is_right(self) -> bool:
        """Ended once, with one set of matches or with a code."""
        if self.state == "FINISHED":
            return (self.endings, self.sets) == (1, 1) and self.matches > 0 and not self.code
        return self.state == "FAILED" and bool(self.code) and (self.endings, self.sets) == (1, 0)


class Ledger:
    """A connection to a site's database that outlives restarts of the server."""

    @classmethod
    def of(cls, site: Site) -> Ledger:
        return cls(json.loads((site.folder / "running.json").read_text())["DATABASE_URL"])

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    def watch(self) -> None:
        """Note every ending and every set of matches from now on."""
        self._ask(_WATCH, ())

    def running(self, *states: str) -> tuple[str, int] | None:
        """Id and attempt of a job in hand, in one of the states if some are given."""
        found = self.ask(
            "SELECT id::text, attempt FROM matcher_upload WHERE state IN %s LIMIT 1",
            states or RUNNING,
        )
        return found[0] if found else None

    def open(self) -> set[str]:
        """Ids of the uploads that have not ended."""
        rows = self.ask("SELECT id::text FROM matcher_upload WHERE finished_at IS NULL")
        return {row[0] for row in rows}

    def standings(self) -> list[Standing]:
        return [Standing(*row) for row in self.ask(_STANDS)]

    def standing(self, upload: str) -> Standing:
        (row,) = self.ask(f"{_STANDS} WHERE u.id = %s", upload)
        return Standing(*row)

    def ask(self, statement: str, *values: Any) -> list[Any]:
        """Its rows; a server that is away is waited for.

        Raises psycopg2.OperationalError after AWAY_SECONDS.
        """
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return self._ask(statement, values)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self._connection = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _ask(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        if self._connection is None:
            self._connection = psycopg2.connect(self._url)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


def verdict(standings: list[Standing], accepted: set[str]) -> tuple[dict[str, int], bool]:
    """Counts of what matters, and whether nothing was lost or doubled.

    Args:
        accepted: ids of the uploads that were answered 201.
    """
    there = {one.upload: one for one in standings}
    codes = Counter(one.code for one in standings if one.state == "FAILED")
    lost = accepted - there.keys()
    wrong = [one for one in standings if not one.is_right]
    counts = {
        "answered 201": len(accepted),
        "kept though the connection broke before the answer": len(there.keys() - accepted),
        "FINISHED": sum(one.state == "FINISHED" for one in standings),
        **{f"FAILED({code})": count for code, count in sorted(codes.items())},
        "lost": len(lost),
        "not ended, or ended or answered more than once": len(wrong),
        "took more than one attempt": sum(one.attempt > 1 for one in standings),
    }
    return counts, not lost and not wrong
