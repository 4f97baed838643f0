"""Queries by the Thrift Server, with the user's own log-in."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from goldsmith.errors import DeclarationError, NotReady, StorageError
from goldsmith.project.sql.reads import require_read
from goldsmith.run.context import Run
from goldsmith.run.readable import QueryResult

_TIMESTAMP = "TIMESTAMP_TYPE"
_CLASS = r"(?:[a-z]\w*\.)+\w+(?:Exception|Error):\s*"
_EXCEPTION = re.compile(
    rf"^(?:{_CLASS})?(?:Error running query: )?(?:\[(?P<condition>\w+)(?:\.\w+)*\]\s*)?(?:{_CLASS})*"
    r"(?:\[(?P<inner>\w+)(?:\.\w+)*\]\s*)?"
)
"""What precedes the message of an error: its condition and the classes of exceptions."""

_NAMES = frozenset({"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"})
_PARSED = "PARSE_SYNTAX_ERROR"


@dataclass(frozen=True)
class ThriftServer:
    """A Thrift Server and a log-in. password: None for a server without accounts.

    certificate: a file of PEM that the server's certificate is verified with; None without encryption.
    """

    host: str
    port: int = 10000
    user: str = "engineer"
    password: str | None = field(default=None, repr=False)
    certificate: str | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def thrift_server(run: Run, environment: Mapping[str, str]) -> ThriftServer | None:
    """The server that SPARK_THRIFT_HOST names, if the profile's tables are in its metastore; else None.

    SPARK_THRIFT_PORT, _USER, _PASSWORD and _CERTIFICATE are its port, the log-in and a file to verify the server with.
    Raises NotReady GS904 for an invalid port.
    """
    host = environment.get("SPARK_THRIFT_HOST")
    if not host or run.project.profile(run.profile).catalog != "hive":
        return None
    port = environment.get("SPARK_THRIFT_PORT") or "10000"
    if not port.isdigit():
        raise NotReady(
            "GS904", f"SPARK_THRIFT_PORT is not a number: {port}", hint="Set it to a port, as 10000."
        )
    user = environment.get("SPARK_THRIFT_USER") or "engineer"
    password, certificate = (
        environment.get(f"SPARK_THRIFT_{name}") or None for name in ("PASSWORD", "CERTIFICATE")
    )
    return ThriftServer(host, int(port), user, password, certificate)


class ThriftSql:
    """Asks the server. Opens one connection, and a new one after an error of it or an interrupted query."""

    def __init__(self, server: ThriftServer) -> None:
        self._server = server
        self._connection: Any = None

    @property
    def engine(self) -> str:
        return f"the Thrift Server at {self._server.address}, as {self._server.user}"

    def close(self) -> None:
        """Closes the session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # The server ends a session whose connection is lost by itself.
            with suppress(Exception):
                connection.close()

    def _hang_up(self) -> None:
        """Ends the connection without waiting for an answer."""
        connection, self._connection = self._connection, None
        if connection is not None and connection._transport.isOpen():
            connection._transport.close()

    def answer(self, query: str, limit: int) -> QueryResult:
        """The first rows of a query, with times as text.

        Raises DeclarationError GS201 for a statement that does not only read or parse, GS202 for an unknown table,
        NotReady GS440 and GS441, StorageError GS403 if the query fails.
        """
        require_read(query)
        try:
            return self._answer(query, limit)
        except _SessionEnded:
            self.close()
            return self._answer(query, limit)

    def _answer(self, query: str, limit: int) -> QueryResult:
        cursor = self._connected().cursor()
        from pyhive.exc import Error
        from thrift.Thrift import TException

        try:
            cursor.execute(query, async_=True)
            message = _failure(cursor)
            description = [] if message is not None else cursor.description or []
            # The client would convert times to Python's, which have no years after 9999.
            cursor._description = [
                (name, "STRING_TYPE" if kind == _TIMESTAMP else kind, *rest)
                for name, kind, *rest in description
            ]
            rows = cursor.fetchmany(limit + 1) if description else []
            cursor.close()
        except Error as error:
            raise _explained(_message(error)) from error
        except (TException, OSError) as error:
            self._hang_up()
            raise self._unreachable(error) from error
        except BaseException:
            self._cancel(cursor._operationHandle)
            raise
        if message is not None:
            raise _explained(message)
        moments = frozenset(at for at, (_, kind, *_) in enumerate(description) if kind == _TIMESTAMP)
        return QueryResult(
            tuple(name for name, *_ in description),
            tuple(map(tuple, rows[:limit])),
            len(rows) > limit,
            moments,
        )

    def _cancel(self, operation: Any) -> None:
        """Ends a query of which an answer may be pending: by another connection, which the server accepts."""
        self._hang_up()
        if operation is not None:
            from TCLIService import ttypes

            self._connected().client.CancelOperation(ttypes.TCancelOperationReq(operation))

    def _connected(self) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Any:
        try:
            from pyhive import hive
        except ImportError:
            raise NotReady(
                "GS903",
                "Queries by the Thrift Server need PyHive, which is not installed.",
                hint="Install it: `pip install 'goldsmith[sql]'`.",
            ) from None
        from thrift.Thrift import TException

        server = self._server
        try:
            if server.certificate:
                return hive.connect(thrift_transport=_encrypted(server), username=server.user)
            how = {"auth": "CUSTOM", "password": server.password} if server.password else {"auth": "NONE"}
            return hive.connect(server.host, server.port, username=server.user, **how)
        except (TException, OSError) as error:
            if "Bad status" not in str(error):
                raise self._unreachable(error) from error
            raise NotReady(
                "GS441",
                f"The Thrift Server at {server.address} refuses the log-in of {server.user}.",
                hint="Set SPARK_THRIFT_USER and SPARK_THRIFT_PASSWORD.",
            ) from error

    def _unreachable(self, error: Exception) -> NotReady:
        return NotReady(
            "GS440",
            f"The Thrift Server at {self._server.address} does not respond: {str(error).strip() or type(error).__name__}",
            retryable=True,
            hint="Check that it runs (`make ps`), and SPARK_THRIFT_HOST and SPARK_THRIFT_PORT. Without SPARK_THRIFT_HOST, "
            "Spark is started for the query.",
        )


class _SessionEnded(Exception):  # noqa: N818 - asks for another connection
    """The server ended the session, as after an hour without a query."""


def _encrypted(server: ThriftServer) -> Any:
    """A transport that verifies the server's certificate."""
    from pyhive import hive
    from thrift.transport.TSSLSocket import TSSLSocket
    from thrift_sasl import TSaslClientTransport

    def log_in() -> Any:
        return hive.get_installed_sasl(
            server.host, "PLAIN", username=server.user, password=server.password or "none"
        )

    context = ssl.create_default_context(cafile=server.certificate)
    socket = TSSLSocket(server.host, server.port, ssl_context=context, server_hostname=server.host)
    return TSaslClientTransport(log_in, "PLAIN", socket)


def _failure(cursor: Any) -> str | None:
    """Waits for the end of a query; its error, None if it succeeded. The server answers each call within seconds."""
    from TCLIService.ttypes import TOperationState as State

    while True:
        status = cursor.poll(get_progress_update=False)
        if status.operationState == State.FINISHED_STATE:
            return None
        if status.operationState not in (State.INITIALIZED_STATE, State.PENDING_STATE, State.RUNNING_STATE):
            return str(status.errorMessage or "The server ended the query.")


def _message(error: Exception) -> str:
    status = getattr(error.args[0], "status", None) if error.args else None
    return str(getattr(status, "errorMessage", None) or error)


def _explained(message: str) -> Exception:
    """The server's error as one message, without the classes of its exceptions, its stack and its plan."""
    text = re.split(r"\n\tat |\nJVM stacktrace", message, maxsplit=1)[0]
    if "Invalid SessionHandle" in text:
        return _SessionEnded(text)
    found = _EXCEPTION.match(text)
    condition = (found["condition"] or found["inner"] or "") if found else ""
    classes = text[: found.end()] if found else ""
    [line, *_] = text[found.end() if found else 0 :].strip().splitlines() or [""]
    message = re.sub(r"\s*SQLSTATE: \w+.*$", "", line)
    if condition in _NAMES:
        return DeclarationError(
            "GS202", message, hint="Write the full name of a loaded table: `layer.table`."
        )
    if condition == _PARSED:
        return DeclarationError("GS201", message)
    if "AnalysisException" in classes:
        return DeclarationError("GS203", message)
    return StorageError("GS403", f"The query failed: {message}")
