"""A file with the outcome of a run, for the program that started it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.cli.console import as_json, error_as_dict
from goldsmith.cli.progress import result_as_dict
from goldsmith.errors import DeclarationErrors, GoldsmithError

if TYPE_CHECKING:
    from goldsmith.run.outcome import RunResult


class ResultFile:
    """The file of the outcome; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, result: RunResult) -> None:
        """Writes the result of a run."""
        self._put(result_as_dict(result))

    def write_error(self, error: GoldsmithError) -> None:
        """Writes the errors that ended a run."""
        problems = error.problems if isinstance(error, DeclarationErrors) else (error,)
        self._put({"tables": [], "errors": [error_as_dict(problem) for problem in problems]})

    def _put(self, content: dict[str, object]) -> None:
        if self._path is None:
            return
        # A rename: a reader finds the complete file or none.
        draft = self._path.with_name(f"{self._path.name}.tmp")
        draft.write_text(json.dumps(content, default=as_json), encoding="utf-8")
        draft.replace(self._path)


@contextmanager
def result_in(path: Path | None) -> Iterator[ResultFile]:
    """The file for a run's outcome. An error that ends the run is written to it and raised again."""
    file = ResultFile(path)
    try:
        yield file
    except GoldsmithError as error:
        file.write_error(error)
        raise
