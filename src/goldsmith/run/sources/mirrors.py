"""The source of tables that copy the objects of another bucket.

Each object is staged below a folder with the digest of its ETag and size, so that the ledger of the table's files shows
which objects it has loaded in which state.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.landing_s3 import matching
from goldsmith.engine.s3 import Bucket, Store
from goldsmith.errors import NotReady, SourceError, Where
from goldsmith.project.connections import BUCKET, ConnectionSpec
from goldsmith.project.profiles import resolved_connection
from goldsmith.project.sources import S3Source
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.plan import Pull
from goldsmith.run.planners.files import loaded_files
from goldsmith.run.sources.pulling import Answer, PullingSource

_COPY = re.compile(r"^[^/]+/[^/]+/\d+-[^/]+/(?P<version>[0-9a-f]{16})/(?P<path>.+)$", re.DOTALL)
"""The path of a staged copy."""

_AT_ONCE = 8

_OF_STORE = ("GS410", "GS411", "GS412", "GS413")
"""Errors of a store, its keys and its bucket."""


class Mirrors(PullingSource):
    """Copies new and replaced objects."""

    @override
    def ask(self, spark: SparkSession, run: Run, plan: Pull, state: Any, folder: str) -> Answer:
        table, source = plan.table, _declared(plan.table)
        connection = resolved_connection(run.project.profile(run.profile), source.s3, run.project.root)
        with _of_connection(table, source):
            bucket, root = _opened(connection)
            listing = matching(bucket, root, source.files)
        known = _copied(loaded_files(run, plan.handle))
        new = [file for file in listing if _version(file) not in known.get(file.path, ())]
        replaced = [file for file in new if file.path in known]
        if replaced and source.on_replaced == "fail":
            raise SourceError(
                "GS304",
                "An object was replaced after it was loaded, and this table has `on_replaced: fail`.",
                where=Where(file=replaced[0].path, table=table.name),
                hint="Restore the original object, or set `on_replaced: load` or `ignore`.",
            )
        if source.on_replaced == "ignore":
            new = [file for file in new if file.path not in known]

        def copy(file: LoadedFile) -> LoadedFile:
            with tempfile.NamedTemporaryFile(prefix="goldsmith-copy-") as written:
                _download(table, source, bucket, root, file, Path(written.name))
                return run.landing.stage(f"{folder}/{_version(file)}/{file.path}", Path(written.name))

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mirror") as pool:
            return Answer(tuple(pool.map(copy, new)), None)


def _opened(connection: ConnectionSpec) -> tuple[Bucket, str]:
    """The bucket of a connection, and the prefix that its address ends in."""
    place = connection.url.removeprefix(BUCKET).rstrip("/")
    store = Store(
        connection.endpoint, connection.region, connection.user or None, connection.password or None
    )
    prefix = place.partition("/")[2]
    return Bucket.of(f"s3a://{place}", store=store), f"{prefix}/" if prefix else ""


def _download(
    table: Table, source: S3Source, bucket: Bucket, root: str, file: LoadedFile, target: Path
) -> None:
    with _of_connection(table, source):
        is_same = bucket.download(root + file.path, f'"{file.etag}"', target)
    if not is_same or target.stat().st_size != file.size:
        raise SourceError(
            "GS303",
            "An object changed while it was read.",
            where=Where(file=file.path, table=table.name),
            retryable=True,
            hint="Run again: nothing was committed.",
        )


@contextmanager
def _of_connection(table: Table, source: S3Source) -> Iterator[None]:
    """Errors of the connection's store name the connection, not the lake's settings."""
    try:
        yield
    except NotReady as error:
        if error.code not in _OF_STORE:
            raise
        raise SourceError(
            "GS310",
            f"`{source.files}` of the connection `{source.s3}` cannot be read: {error.message}",
            where=Where(table=table.name),
            retryable=error.retryable,
            hint="Correct the connection in goldsmith.yaml, its access key or the permissions of that key.",
        ) from error


def _version(file: LoadedFile) -> str:
    return hashlib.sha256(f"{file.etag}\0{file.size}".encode()).hexdigest()[:16]


def _copied(files: Iterable[LoadedFile]) -> dict[str, set[str]]:
    """The versions of each object that were loaded, by its path."""
    found: dict[str, set[str]] = {}
    for file in files:
        parts = _COPY.match(file.path)
        if parts is not None:
            found.setdefault(parts["path"], set()).add(parts["version"])
    return found


def _declared(table: Table) -> S3Source:
    assert isinstance(table.spec.source, S3Source)
    return table.spec.source
