"""What one run knows: where things are, who it is, what it was asked for."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any, TypeVar, cast

from pyspark.sql import DataFrame

from goldsmith.engine.delta.quarantine import Entries, quarantine_path
from goldsmith.engine.ingest.landing import Landing, landing_at
from goldsmith.errors import DeclarationError
from goldsmith.project.tables import Project

T = TypeVar("T")


@dataclass(frozen=True)
class Interval:
    """A half-open data interval [start, end)."""

    start: date
    end: date

    @classmethod
    def of(cls, start: date | None, end: date | None) -> Interval | None:
        """The interval of two optional ends; one alone is one day. Raises DeclarationError GS505 if it runs backwards."""
        if start is None and end is None:
            return None
        first = start or date.fromordinal((end or date.min).toordinal() - 1)
        last = end or date.fromordinal(first.toordinal() + 1)
        if last <= first:
            raise DeclarationError(
                "GS505",
                f"The interval from {first} to {last} runs backwards or is empty.",
                hint="`--from` is the first day, `--to` the day after the last.",
            )
        return cls(first, last)

    @property
    def as_text(self) -> tuple[str, str]:
        return self.start.isoformat(), self.end.isoformat()

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(date.fromordinal(day) for day in range(self.start.toordinal(), self.end.toordinal()))


@dataclass(frozen=True)
class Accepted:
    """Expectations that one run lets pass: by whom and why."""

    names: frozenset[str] = frozenset()
    by: str = field(default_factory=getpass.getuser)
    why: str = ""

    def covers(self, table: str, expectation: str) -> bool:
        return expectation in self.names or f"{table}.{expectation}" in self.names


class Shared:
    """What several tables of one run need alike: computed by the first that asks, while the others wait."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._futures: dict[Hashable, Future[Any]] = {}

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of a key. A failure is for the one who met it: the next one computes again."""
        with self._guard:
            known = self._futures.get(key)
            mine: Future[Any] = known or Future()
            self._futures[key] = mine
        if known is not None:
            with suppress(Exception):
                return cast(T, known.result())
            return compute()
        try:
            mine.set_result(compute())
        except BaseException as error:
            mine.set_exception(error)
            raise
        return cast(T, mine.result())


@dataclass(frozen=True)
class Run:
    """One execution. started: UTC. rebuild: tables that are rebuilt whatever their state."""

    project: Project
    profile: str
    warehouse: str
    landing: Landing
    run_id: str
    started: datetime
    interval: Interval | None = None
    rebuild: frozenset[str] = frozenset()
    accepted: Accepted = field(default_factory=Accepted)
    shared: Shared = field(default_factory=Shared, compare=False)

    @classmethod
    def begin(
        cls,
        project: Project,
        profile: str | None = None,
        *,
        interval: Interval | None = None,
        rebuild: frozenset[str] = frozenset(),
        accepted: Accepted | None = None,
    ) -> Run:
        """A run with an id of its own. Raises DeclarationError: GS108 for an unknown profile, GS110 for a path that
        Delta cannot read."""
        spec = project.profile(profile)
        if "`" in spec.warehouse:
            raise DeclarationError(
                "GS110",
                f"The warehouse's path holds a backtick: {spec.warehouse}",
                hint="Rename the folder: Delta takes a backtick in a table's path for its end.",
            )
        started = datetime.now(UTC)
        return cls(
            project=project,
            profile=profile or project.spec.profile,
            warehouse=spec.warehouse,
            landing=landing_at(spec.landing),
            run_id=f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            started=started,
            interval=interval,
            rebuild=rebuild,
            accepted=accepted or Accepted(),
        )

    @property
    def meets_others(self) -> bool:
        """True if no lock keeps runs of one table apart: object stores have none. The table's log decides there."""
        return "://" in self.warehouse

    def path(self, table: str) -> str:
        """Where a table lives: `<warehouse>/<layer>/<table>`."""
        layer, short = table.split(".", 1)
        return f"{self.warehouse}/{layer}/{short}"

    def quarantine_path(self, table: str) -> str:
        return quarantine_path(self.warehouse, table)

    def entries(self, counter: int) -> Entries:
        return Entries(self.run_id, counter, self.started)


def view_name(table: str) -> str:
    """The temporary view that stands for a table while its reader's query runs."""
    return "gs_" + table.replace(".", "_")


def make_views(frames: Mapping[str, DataFrame]) -> dict[str, str]:
    """Temporary views of frames by table name; returns table name -> view name."""
    names = {}
    for table, frame in frames.items():
        name = view_name(table)
        frame.createOrReplaceTempView(name)
        names[table] = name
    return names
