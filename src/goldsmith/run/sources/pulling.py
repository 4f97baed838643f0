"""The base of sources that each load asks for new rows.

Their files are staged below the landing root, in a folder for each commit, and loaded as delivered files. The commit
names the files and the new state of the source, so that both count or neither.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

from pyspark.sql import SparkSession
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile, Pulled
from goldsmith.project.sources import EXTRACTS
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.plan import LoadPlan, NewFiles, Nothing, Pull
from goldsmith.run.recovery import commit_status
from goldsmith.run.sources.files import Files, declared_files

_STAGED = re.compile(r"^(?P<counter>\d+)-(?P<run_id>.+)$")
"""The name of the folder with the files of one commit."""


@dataclass(frozen=True)
class Answer:
    """New files of a source, and the JSON value that it leaves for the next load."""

    files: tuple[LoadedFile, ...]
    state: Any


class PullingSource(Files):
    """Asks for new files, and reads them."""

    @abstractmethod
    def ask(self, spark: SparkSession, run: Run, plan: Pull, state: Any, folder: str) -> Answer:
        """Stages new files in `folder`, a path in the landing area. state: left by the last committed load, or None."""

    @override
    def pull(self, spark: SparkSession, run: Run, plan: Pull) -> Nothing | LoadPlan:
        """Asks the source, and plans to load the files that it staged."""
        table, source, handle = plan.table, declared_files(plan.table).source, plan.handle
        former = handle.bookmark.metadata.pulled if handle.bookmark else None
        _discard_aborted(run, handle, former)
        before = former.state if former else None
        answer = self.ask(spark, run, plan, before, f"{_folder(table)}/{handle.counter}-{run.run_id}")
        files = answer.files
        types = [column.type for column in table.spec.columns.values()]
        exists = handle.state.exists
        if (
            not files
            and plan.day is None
            and (
                (exists and answer.state == before and not handle.is_foreign)
                or not (exists or source.gives_columns(types))
            )
        ):
            return Nothing(handle=handle, reason=f"{table.origin} has nothing new", warnings=plan.warnings)
        action: Literal["first", "incremental", "rebuild"] = "incremental" if exists else "first"
        if exists and table.name in run.rebuild:
            # Another program has written the table.
            action = "rebuild"
        count = f"{len(files)} file{'s' if len(files) != 1 else ''}"
        return NewFiles(
            handle=handle,
            reason=f"{count} of {table.origin}",
            warnings=plan.warnings,
            action=action,
            files=files,
            pulled=Pulled(
                run.run_id,
                handle.counter,
                answer.state,
                restated=run.restating.as_text if plan.day and run.restating else None,
            ),
            day=plan.day,
            bytes=sum(file.size for file in files),
        )


def _folder(table: Table) -> str:
    return f"{EXTRACTS}/{table.name}"


def _discard_aborted(run: Run, handle: TableHandle, former: Pulled | None) -> None:
    """Removes staged files of loads that were not committed. Those before the last committed one were removed earlier."""
    status_of = commit_status(run, handle.log, handle.state.counter)
    if not handle.state.exists:
        # The files may be those of a table that was deleted.
        return
    last = former.counter if former else 0
    for name in run.landing.staged(_folder(handle.table)):
        parts = _STAGED.match(name)
        if parts is None:
            continue
        counter, run_id = int(parts["counter"]), parts["run_id"]
        is_own = former is not None and (counter, run_id) == (last, former.run_id)
        if counter >= last and not is_own and status_of(run_id, counter) == "aborted":
            run.landing.discard(f"{_folder(handle.table)}/{name}")
