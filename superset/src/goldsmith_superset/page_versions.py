"""All charts of a page read the same table versions, and their data is cached per version.

A page requests the versions from /moment/DASHBOARD when it opens, and sends them with each data request. They are added
to the SQL and to the cache key of the data.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Response, g, has_request_context, jsonify, request
from jinja2 import ChoiceLoader, FileSystemLoader
from sqlalchemy.exc import SQLAlchemyError

from goldsmith_superset import clock, lookup, pinning
from goldsmith_superset.lookup import VersionLookup
from goldsmith_superset.versions import (
    HEADER,
    MalformedHeaderError,
    Name,
    TableReplaced,
    Version,
    Versions,
    for_page,
    from_header,
    newest_commit,
    to_header,
)

ENGINE = "spark"
LOOKUP_TIMEOUT = 10.0
"""The time limit of a look-up, in seconds."""

_WEB = Path(__file__).parent / "web"
DATA = re.compile(r"^/api/v1/chart/(?:data(?:/|$)|\d+/data/)|^/superset/explore_json/|^/datasource/samples")
"""The requests that return rows for charts."""
_SCHEMA = re.compile(r"\w+")
_LOG = logging.getLogger(__name__)

_lookups: dict[int, VersionLookup] = {}
_adding = Lock()


def newest_of(database: Any, shared: float = lookup.SHARED) -> Versions:
    """The newest versions of a database's tables, at most `shared` seconds old; empty if they are unknown."""
    with _adding:
        found = _lookups.setdefault(database.id, VersionLookup(_delete_expired))
    return found.versions(lambda: _query_versions(database), shared) or {}


def _query_versions(database: Any) -> Versions:
    """Queries the Thrift Server for the versions of the tables in all schemas with datasets."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable

    asked = db.session.query(SqlaTable.schema).filter_by(database_id=database.id).distinct()
    schemas = sorted(f"'{name}'" for (name,) in asked if name and _SCHEMA.fullmatch(name))
    if not schemas:
        return {}
    with database.get_raw_connection() as connection:
        cursor = connection.cursor()
        cursor.timeout = LOOKUP_TIMEOUT
        cursor.execute(f"SELECT * FROM table_versions({', '.join(schemas)})")
        return {
            f"{schema}.{table}".lower(): Version(int(number), str(table_id), committed / 1000)
            for schema, table, number, table_id, committed in cursor.fetchall()
        }


def _delete_expired() -> None:
    """Deletes expired filters of pages from Superset's database. Superset itself only stops using them."""
    from superset import db
    from superset.key_value.models import KeyValueEntry
    from superset.key_value.types import KeyValueResource

    entries = KeyValueEntry.__table__
    old = (entries.c.resource == KeyValueResource.METASTORE_CACHE.value) & (
        entries.c.expires_on <= datetime.now()
    )
    try:
        with db.engine.begin() as connection:
            connection.execute(entries.delete().where(old))
    except SQLAlchemyError as error:
        # The next load tries again.
        _LOG.warning("Expired filters could not be deleted: %s", error)


def _of_request(database: Any) -> dict[str, Version | TableReplaced]:
    """The versions that a request reads from a database, the same for all its queries."""
    known: dict[int, dict[str, Version | TableReplaced]] = g.setdefault("lakehouse_versions", {})
    if database.id not in known:
        requested = {
            table: version
            for (of, table), version in g.get("lakehouse_requested", {}).items()
            if of == database.id
        }
        forced = has_request_context() and not requested and _is_forced()
        newest = newest_of(database, lookup.AT_ONCE if forced else lookup.SHARED)
        found = for_page(newest, requested)
        if any(isinstance(each, TableReplaced) for each in found.values()):
            # Or the page has newer versions than this process, which has just started.
            found = for_page(newest_of(database, lookup.AT_ONCE), requested)
        known[database.id] = found
    return known[database.id]


def _is_forced() -> bool:
    in_url = request.args.get("force", "").lower() in ("true", "1")
    return in_url or (request.is_json and (request.get_json(silent=True) or {}).get("force") is True)


def _tables_of(dataset: Any) -> set[str]:
    """The tables that a dataset reads, with an empty name for a source without versions."""
    if not dataset.sql:
        return {f"{dataset.schema}.{dataset.table_name}".lower()}
    try:
        return pinning.tables_of(dataset.sql, dataset.schema)
    except pinning.UnreadableError:
        return {""}


def _key(dataset: Any, query: dict[str, Any]) -> str:
    """The part of a chart's cache key besides its query: versions and, if relevant, the time."""
    versions = _of_request(dataset.database)
    tables = sorted(_tables_of(dataset))
    parts = []
    for table in tables:
        match versions.get(table):
            case Version() as version:
                parts.append(f"{table}={version.number}.{version.table}")
            case TableReplaced() as replaced:
                raise _refusal(str(replaced)) from replaced
    now = time.time()
    if len(parts) < len(tables):
        parts.append(f"soon {clock.step(now, clock.SOON)}")
    elif clock.reads_clock(query, dataset.sql, _expressions(dataset)):
        parts.append(f"clock {clock.step(now, clock.STEP)}")
    return " ".join([*parts, clock.bounds(query)])


def _expressions(dataset: Any) -> dict[str, str | None]:
    """The SQL behind a dataset's metrics and columns."""
    metrics = {each.metric_name: each.expression for each in dataset.metrics}
    return metrics | {each.column_name: each.expression for each in dataset.columns}


def _pinned(dataset: Any, sql: str) -> str:
    versions = _of_request(dataset.database)

    def version_of(table: str) -> int | None:
        match versions.get(table):
            case Version() as version:
                return version.number
            case TableReplaced() as replaced:
                raise _refusal(str(replaced)) from replaced
        return None

    try:
        found = pinning.pinned(sql, version_of, dataset.schema)
    except pinning.UnreadableError as error:
        _LOG.warning(
            "A chart reads the current versions of its tables, because its SQL cannot be parsed: %s", error
        )
        return sql
    g.lakehouse_pinned = found != sql
    return found


def _refusal(message: str) -> Exception:
    from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
    from superset.exceptions import SupersetErrorException

    error = SupersetError(message, SupersetErrorType.GENERIC_DB_ENGINE_ERROR, ErrorLevel.ERROR)
    return SupersetErrorException(error, status=HTTPStatus.CONFLICT)


def install(app: Any) -> None:
    """Makes charts read the versions of their page, and adds the script and the endpoint for pages."""
    _install_in_datasets()
    script = (_WEB / "moment.js").read_text(encoding="utf-8")
    address = f"/moment.js?{hashlib.sha256(script.encode()).hexdigest()[:12]}"
    app.jinja_loader = ChoiceLoader([FileSystemLoader(_WEB), app.jinja_loader])
    app.jinja_env.globals["moment_script"] = lambda: address

    @app.before_request  # type: ignore[untyped-decorator]
    def requested_versions() -> tuple[Response, int] | None:
        if not DATA.match(request.path):
            return None
        try:
            g.lakehouse_requested = from_header(request.headers.get(HEADER, ""))
        except MalformedHeaderError as error:
            return jsonify(message=str(error)), HTTPStatus.BAD_REQUEST
        return None

    @app.get("/moment.js")  # type: ignore[untyped-decorator]
    def moment_js() -> Response:
        response = Response(script, mimetype="text/javascript")
        response.headers["Cache-Control"] = "public, max-age=604800"
        return response

    @app.get("/moment/<dashboard>")  # type: ignore[untyped-decorator]
    def moment(dashboard: str) -> tuple[Response, int]:
        from superset.commands.dashboard.exceptions import DashboardAccessDeniedError, DashboardNotFoundError
        from superset.daos.dashboard import DashboardDAO

        try:
            found = DashboardDAO.get_by_id_or_slug(dashboard)
        except (DashboardNotFoundError, DashboardAccessDeniedError):
            return jsonify(message="The dashboard does not exist."), HTTPStatus.NOT_FOUND
        fresh = lookup.AT_ONCE if request.args.get("fresh") else lookup.SHARED
        versions = _of_datasets([each for each in found.datasources if _is_ours(each)], fresh)
        as_of = newest_commit(versions.values())
        response = jsonify(moment=to_header(versions), as_of=None if as_of is None else round(as_of * 1000))
        response.headers["Cache-Control"] = "no-store"
        return response, HTTPStatus.OK


def _of_datasets(datasets: list[Any], shared: float) -> dict[Name, Version]:
    """The newest versions of the tables that some datasets read."""
    databases = {dataset.database_id: dataset.database for dataset in datasets}
    newest = {number: newest_of(database, shared) for number, database in databases.items()}
    return {
        (dataset.database_id, table): version
        for dataset in datasets
        for table in _tables_of(dataset)
        if (version := newest[dataset.database_id].get(table)) is not None
    }


def _is_ours(dataset: Any) -> bool:
    database = getattr(dataset, "database", None)
    return database is not None and database.db_engine_spec.engine == ENGINE


def _install_in_datasets() -> None:
    """Patches datasets. Superset has no hook for this: its SQL mutator does not know the dataset."""
    from superset.connectors.sqla.models import SqlaTable

    keys, query_string = SqlaTable.get_extra_cache_keys, SqlaTable.get_query_str_extended

    def get_extra_cache_keys(self: Any, query_obj: Any) -> list[Any]:
        found = keys(self, query_obj)
        return [*found, _key(self, query_obj)] if _is_ours(self) else found

    def get_query_str_extended(self: Any, query_obj: Any, mutate: bool = True) -> Any:
        query = query_string(self, query_obj, mutate)
        return query._replace(sql=_pinned(self, query.sql)) if _is_ours(self) else query

    SqlaTable.get_extra_cache_keys = get_extra_cache_keys
    SqlaTable.get_query_str_extended = get_query_str_extended
