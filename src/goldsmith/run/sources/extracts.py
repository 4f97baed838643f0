"""The source of tables with an extract: a function of the project writes files to a folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from typing_extensions import override

from goldsmith.project.sources import ExtractSource
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.extracting import call_extract, written_files
from goldsmith.run.plan import Pull
from goldsmith.run.sources.pulling import Answer, PullingSource


class Extracts(PullingSource):
    """Calls a function for new files."""

    @override
    def ask(self, spark: SparkSession, run: Run, plan: Pull, state: Any, folder: str) -> Answer:
        table, source = plan.table, declared_extract(plan.table)
        with tempfile.TemporaryDirectory(prefix="goldsmith-extract-") as written:
            left = call_extract(table, source, run.interval, state, Path(written))
            files = tuple(
                run.landing.stage(f"{folder}/{name}", path) for name, path in written_files(Path(written))
            )
        return Answer(files, left)


def declared_extract(table: Table) -> ExtractSource:
    """The declaration of a table with an extract."""
    assert isinstance(table.spec.source, ExtractSource)
    return table.spec.source
