"""All charts of a page read the same versions of their tables, and what they read is kept for as long as it is the newest.

A page asks /moment/DASHBOARD for the versions when it opens, and repeats them with each of its requests for data. They
are written into the SQL and into the key under which the answer is kept.
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

from goldsmith_superset import clock, lookup, moments, pinning
from goldsmith_superset.lookup import Lookup
from goldsmith_superset.moments import Replaced, Version, Versions

ENGINE = "spark"
LONGEST = 10.0
"""Seconds after which a look-up is cancelled."""

_WEB = Path(__file__).parent / "web"
_DATA = re.compile(r"^/api/v1/chart/(?:data(?:/|$)|\d+/data/)|^/superset/explore_json/|^/datasource/samples")
"""The calls that return rows for charts."""
_SCHEMA = re.compile(r"\w+")
_LOG = logging.getLogger(__name__)

_lookups: dict[int, Lookup] = {}
_adding = Lock()


def newest_of(database: Any, shared: float = lookup.SHARED) -> Versions:
    """The newest versions of a database's tables, at most `shared` seconds old; empty where nothing tells them."""
    with _adding:
        found = _lookups.setdefault(database.id, Lookup(_forget_what_expired))
    return found.versions(lambda: _looked_up(database), shared) or {}


def _looked_up(database: Any) -> Versions:
    """Asks the Thrift Server for the versions of the tables in all schemas that datasets are in."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable

    asked = db.session.query(SqlaTable.schema).filter_by(database_id=database.id).distinct()
    schemas = sorted(f"'{name}'" for (name,) in asked if name and _SCHEMA.fullmatch(name))
    if not schemas:
        return {}
    with database.get_raw_connection() as connection:
        cursor = connection.cursor()
        cursor.longest = LONGEST
        cursor.execute(f"SELECT * FROM table_versions({', '.join(schemas)})")
        return {
            f"{schema}.{table}".lower(): Version(int(number), str(table_id), committed / 1000)
            for schema, table, number, table_id, committed in cursor.fetchall()
        }


def _forget_what_expired() -> None:
    """Deletes charts' data that nobody will ask for any more: Superset only stops to use it."""
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
        _LOG.warning("Data of charts that expired is not deleted: %s", error)


def _of_request(database: Any) -> dict[str, Version | Replaced]:
    """What a request reads of a database, the same from its first question to its last."""
    kept: dict[int, dict[str, Version | Replaced]] = g.setdefault("lakehouse_versions", {})
    if database.id not in kept:
        named = {
            table: version
            for (of, table), version in g.get("lakehouse_named", {}).items()
            if of == database.id
        }
        forced = has_request_context() and not named and _is_forced()
        newest = newest_of(database, lookup.AT_ONCE if forced else lookup.SHARED)
        found = moments.of_page(newest, named)
        if any(isinstance(each, Replaced) for each in found.values()):
            # Or the page knows more than this process, which has just started.
            found = moments.of_page(newest_of(database, lookup.AT_ONCE), named)
        kept[database.id] = found
    return kept[database.id]


def _is_forced() -> bool:
    told = request.args.get("force", "").lower() in ("true", "1")
    return told or (request.is_json and (request.get_json(silent=True) or {}).get("force") is True)


def _tables_of(dataset: Any) -> set[str]:
    """The tables that a dataset reads; with an empty name for what has no version."""
    if not dataset.sql:
        return {f"{dataset.schema}.{dataset.table_name}".lower()}
    try:
        return pinning.tables_of(dataset.sql, dataset.schema)
    except pinning.UnreadableError:
        return {""}


def _key(dataset: Any, query: dict[str, Any]) -> str:
    """What a chart's data depends on besides its query."""
    versions = _of_request(dataset.database)
    tables = sorted(_tables_of(dataset))
    parts = []
    for table in tables:
        match versions.get(table):
            case Version() as version:
                parts.append(f"{table}={version.number}.{version.table}")
            case Replaced() as replaced:
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
            case Replaced() as replaced:
                raise _refusal(str(replaced)) from replaced
        return None

    try:
        found = pinning.pinned(sql, version_of, dataset.schema)
    except pinning.UnreadableError as error:
        _LOG.warning("A chart reads its tables as they stand: %s", error)
        return sql
    g.lakehouse_pinned = found != sql
    return found


def _refusal(message: str) -> Exception:
    from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
    from superset.exceptions import SupersetErrorException

    told = SupersetError(message, SupersetErrorType.GENERIC_DB_ENGINE_ERROR, ErrorLevel.ERROR)
    return SupersetErrorException(told, status=HTTPStatus.CONFLICT)


def install(app: Any) -> None:
    """Has charts read the versions of their page, and pages ask for them."""
    _install_in_datasets()
    script = (_WEB / "moment.js").read_text(encoding="utf-8")
    address = f"/moment.js?{hashlib.sha256(script.encode()).hexdigest()[:12]}"
    app.jinja_loader = ChoiceLoader([FileSystemLoader(_WEB), app.jinja_loader])
    app.jinja_env.globals["moment_script"] = lambda: address

    @app.before_request  # type: ignore[untyped-decorator]
    def named() -> tuple[Response, int] | None:
        if not _DATA.match(request.path):
            return None
        try:
            g.lakehouse_named = moments.read(request.headers.get(moments.HEADER, ""))
        except moments.MalformedError as error:
            return jsonify(message=str(error)), HTTPStatus.BAD_REQUEST
        return None

    @app.get("/moment.js")  # type: ignore[untyped-decorator]
    def moment_js() -> Response:
        answer = Response(script, mimetype="text/javascript")
        answer.headers["Cache-Control"] = "public, max-age=604800"
        return answer

    @app.get("/moment/<dashboard>")  # type: ignore[untyped-decorator]
    def moment(dashboard: str) -> tuple[Response, int]:
        from superset.commands.dashboard.exceptions import DashboardAccessDeniedError, DashboardNotFoundError
        from superset.daos.dashboard import DashboardDAO

        try:
            found = DashboardDAO.get_by_id_or_slug(dashboard)
        except (DashboardNotFoundError, DashboardAccessDeniedError):
            return jsonify(message="There is no such dashboard."), HTTPStatus.NOT_FOUND
        fresh = lookup.AT_ONCE if request.args.get("fresh") else lookup.SHARED
        versions = _of_datasets([each for each in found.datasources if _is_ours(each)], fresh)
        as_of = moments.newest(versions.values())
        answer = jsonify(
            moment=moments.written(versions), as_of=None if as_of is None else round(as_of * 1000)
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer, HTTPStatus.OK


def _of_datasets(datasets: list[Any], shared: float) -> dict[moments.Name, Version]:
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
    """Superset has a hook for neither: its mutator of SQL does not know the dataset."""
    from superset.connectors.sqla.models import SqlaTable

    keys, query_string = SqlaTable.get_extra_cache_keys, SqlaTable.get_query_str_extended

    def get_extra_cache_keys(self: Any, query_obj: Any) -> list[Any]:
        found = keys(self, query_obj)
        return [*found, _key(self, query_obj)] if _is_ours(self) else found

    def get_query_str_extended(self: Any, query_obj: Any, mutate: bool = True) -> Any:
        told = query_string(self, query_obj, mutate)
        return told._replace(sql=_pinned(self, told.sql)) if _is_ours(self) else told

    SqlaTable.get_extra_cache_keys = get_extra_cache_keys
    SqlaTable.get_query_str_extended = get_query_str_extended
