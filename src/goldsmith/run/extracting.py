"""Calls extracts: functions of a project that ask another system for new rows and write them to files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from goldsmith.engine.ingest.landing import ignored
from goldsmith.errors import GoldsmithError, SourceError, Where
from goldsmith.project.sources import ExtractSource
from goldsmith.project.tables import Table, extract_file
from goldsmith.run.context import DataInterval
from goldsmith.run.user_code import execute, is_network_error, one_line, raised_at


def call_extract(
    table: Table, source: ExtractSource, interval: DataInterval | None, state: Any, folder: Path
) -> Any:
    """Calls an extract, and returns the state that it leaves for the next call; the former one if it returns None.

    interval: the run's data interval; None asks for everything new. state: a JSON value; None in the first call.
    folder: where the function writes files. Raises SourceError GS309 with the line that failed.
    """
    file = extract_file(table, source)

    def failed(wrong: str, error: BaseException | None = None, **more: Any) -> SourceError:
        where = raised_at(error, file, table.name) if error else Where(file=file, table=table.name)
        return SourceError(
            "GS309", f"The extract `{source.extract}` of `{table.name}` {wrong}.", where=where, **more
        )

    try:
        module = execute(f"goldsmith_extract_{table.name.replace('.', '_')}", file)
        left = getattr(module, source.function)(interval=interval, state=deepcopy(state), folder=folder)
    except GoldsmithError:
        raise
    except (Exception, SystemExit) as error:
        retryable = is_network_error(error)
        raise failed(
            f"failed: {one_line(error)}",
            error,
            retryable=retryable,
            hint="Run it again when the other system responds: nothing was loaded."
            if retryable
            else "Correct the function, then run again: nothing was loaded.",
        ) from error
    if left is None:
        return state
    try:
        return json.loads(json.dumps(left, allow_nan=False))
    except (TypeError, ValueError) as error:
        hint = "Return text, numbers, lists and dictionaries: write dates as text."
        raise failed(f"returned a state that is not JSON: {error}", hint=hint) from None


def written_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that an extract wrote, with their paths in the folder, sorted. Ignores the names that loads ignore."""
    for path in sorted(folder.rglob("*")):
        names = path.relative_to(folder).parts
        if path.is_file() and not ignored(names):
            yield "/".join(names), path
