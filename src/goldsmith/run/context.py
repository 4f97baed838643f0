"""The context of a run: paths, run id, data interval, options."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any, TypeVar, cast

from goldsmith.engine.delta.entry_batches import EntryBatch
from goldsmith.engine.delta.valid_entries import quarantine_path
from goldsmith.engine.ingest.landing import Landing, landing_at
from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation
from goldsmith.project.pipelines import Project

T = TypeVar("T")


@dataclass(frozen=True)
class DataInterval:
    """A half-open data interval [start, end)."""

    start: date
    end: date

    @classmethod
    def of(cls, start: date | None, end: date | None) -> DataInterval | None:
        """The interval of two optional ends; one end alone means one day. Raises DeclarationError GS505 if it is empty."""
        if start is None and end is None:
            return None
        first = start or date.fromordinal((end or date.min).toordinal() - 1)
        last = end or date.fromordinal(first.toordinal() + 1)
        if last <= first:
            raise DeclarationError(
                "GS505",
                f"The interval from {first} to {last} is empty.",
                hint="Set `--from` to the first day and `--to` to the day after the last one.",
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
    """Expectations with `otherwise: fail` that do not stop one run: by whom and why."""

    names: frozenset[str] = frozenset()
    by: str = field(default_factory=getpass.getuser)
    why: str = ""

    def covers(self, table: str, expectation: Expectation) -> bool:
        """Whether an expectation is accepted. One that drops or quarantines never is: a rebuild would do it again."""
        named = expectation.name in self.names or f"{table}.{expectation.name}" in self.names
        return named and expectation.otherwise == "fail"


class Shared:
    """Values shared by the tables of a run, each computed once while other threads wait."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._futures: dict[Hashable, Future[Any]] = {}

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of a key. A failure is raised to one caller; the next one computes the value again."""
        with self._guard:
            known = self._futures.get(key)
            own: Future[Any] = known or Future()
            self._futures[key] = own
        if known is not None:
            with suppress(Exception):
                return cast(T, known.result())
            return compute()
        try:
            own.set_result(compute())
        except BaseException as error:
            own.set_exception(error)
            raise
        return cast(T, own.result())


@dataclass(frozen=True)
class Run:
    """One run. started: UTC. rebuild: tables to rebuild in any case.

    restating: the interval whose days a command loads again, one run for each.
    """

    project: Project
    profile: str
    warehouse: str
    landing: Landing
    run_id: str
    started: datetime
    interval: DataInterval | None = None
    restating: DataInterval | None = None
    rebuild: frozenset[str] = frozenset()
    accepted: Accepted = field(default_factory=Accepted)
    shared: Shared = field(default_factory=Shared, compare=False)

    @classmethod
    def begin(
        cls,
        project: Project,
        profile: str | None = None,
        *,
        interval: DataInterval | None = None,
        restating: DataInterval | None = None,
        rebuild: frozenset[str] = frozenset(),
        accepted: Accepted | None = None,
    ) -> Run:
        """A new run with its own id.

        Raises DeclarationError: GS108 for an unknown profile, GS110 for a path that Delta cannot read.
        """
        spec = project.profile(profile)
        if "`" in spec.warehouse:
            raise DeclarationError(
                "GS110",
                f"The warehouse's path contains a backtick: {spec.warehouse}",
                hint="Rename the folder: Delta reads a backtick in a path as its end.",
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
            restating=restating,
            rebuild=rebuild,
            accepted=accepted or Accepted(),
        )

    @property
    def lockless(self) -> bool:
        """True if there are no table locks, as on object stores; concurrent runs are detected by the table's log."""
        return "://" in self.warehouse

    def path(self, table: str) -> str:
        """The path of a table: `<warehouse>/<layer>/<table>`."""
        layer, short = table.split(".", 1)
        return f"{self.warehouse}/{layer}/{short}"

    def quarantine_path(self, table: str) -> str:
        return quarantine_path(self.warehouse, table)

    def entry_batch(self, counter: int) -> EntryBatch:
        return EntryBatch(self.run_id, counter, self.started)
