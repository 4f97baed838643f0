"""Pooled sessions on the Thrift Server, with readable errors.

Opening a session takes as long as a short query, and Superset would open one for each chart.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from pyhive import exc, hive
from TCLIService import ttypes
from thrift.transport.TTransport import TTransportException

from goldsmith_superset.statements import connection_message, server_message

MAX_IDLE = 300.0
"""How long an idle session stays in the pool, in seconds."""
MAX_SESSIONS = 12
"""The maximum number of pooled sessions per address and user."""

_QUERY = re.compile(r"\s*(?:SELECT|WITH)\b", re.IGNORECASE)
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""Socket options that detect an unreachable server within half a minute, if the system supports them."""


class SessionPool:
    """The idle sessions. Thread-safe."""

    def __init__(self, idle: float = MAX_IDLE, most: int = MAX_SESSIONS) -> None:
        self._idle, self._most = idle, most
        self._lock = Lock()
        self._idle_sessions: dict[str, list[tuple[float, ThriftSession]]] = {}

    def connect(self, **where: Any) -> ThriftSession:
        """An open session, with the arguments of `hive.connect`. Raises as PyHive, with readable messages."""
        key = repr(sorted(where.items()))
        while idle := self._pop(key):
            since, session = idle
            if time.monotonic() - since < self._idle and session.alive():
                return session
            session.hang_up()
        return ThriftSession(lambda session: self._put_back(key, session), **where)

    def _pop(self, key: str) -> tuple[float, ThriftSession] | None:
        with self._lock:
            sessions = self._idle_sessions.get(key)
            return sessions.pop() if sessions else None

    def _put_back(self, key: str, session: ThriftSession) -> None:
        with self._lock:
            sessions = self._idle_sessions.setdefault(key, [])
            sessions.append((time.monotonic(), session))
            surplus = sessions.pop(0)[1] if len(sessions) > self._most else None
        if surplus is not None:
            surplus.hang_up()


class ThriftSession(hive.Connection):
    """A connection that `close` returns to the pool, if it ran only queries whose rows were all fetched."""

    def __init__(self, give_back: Callable[[ThriftSession], None], **where: Any) -> None:
        self._give_back = give_back
        self._cursors: list[Cursor] = []
        with readable_errors():
            super().__init__(**where)
        # Without the cursors that selected the database.
        self._cursors.clear()
        if self._socket is not None:
            _set_keepalive(self._socket)

    def cursor(self, *args: Any, **options: Any) -> Cursor:
        cursor = Cursor(self, *args, **options)
        self._cursors.append(cursor)
        return cursor

    def close(self) -> None:
        """Returns the session to the pool, or closes it."""
        reusable = all(cursor.reusable for cursor in self._cursors)
        try:
            for cursor in self._cursors if reusable else ():
                cursor.close()
            if not reusable:
                super().close()
        except (TTransportException, exc.Error):
            # All results have been read; the server is just unreachable for the close.
            self.hang_up()
            return
        self._cursors.clear()
        if reusable:
            self._give_back(self)

    def hang_up(self) -> None:
        """Closes the connection; the server then ends the session."""
        self._transport.close()

    def alive(self) -> bool:
        """Whether the server still has the session: it ends idle ones, and all of them at a restart."""
        try:
            # The cheapest request that needs the session.
            answer = self._client.GetTableTypes(ttypes.TGetTableTypesReq(self._sessionHandle))
            if answer.status.statusCode == ttypes.TStatusCode.ERROR_STATUS:
                return False
            self._client.CloseOperation(ttypes.TCloseOperationReq(answer.operationHandle))
        except (TTransportException, OSError):
            return False
        return True

    @property
    def _socket(self) -> socket.socket | None:
        """None over HTTP."""
        found: socket.socket | None = getattr(getattr(self._transport, "_trans", None), "handle", None)
        return found


def _set_keepalive(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


QUERY_TIMEOUT = 100.0
"""The time limit of a query, in seconds. Superset's page gives up after 120."""

_DONE = ttypes.TOperationState.FINISHED_STATE
_RUNNING = frozenset(
    {
        ttypes.TOperationState.INITIALIZED_STATE,
        ttypes.TOperationState.PENDING_STATE,
        ttypes.TOperationState.RUNNING_STATE,
    }
)


def is_closed(connection: socket.socket) -> bool:
    """Whether the peer has closed a connection. Reads nothing."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class Cursor(hive.Cursor):
    """A cursor that cancels abandoned queries, and knows whether its session is reusable.

    gone: whether the user has left the page. timeout: the time limit of a query, in seconds.
    """

    _queries = True
    gone: Callable[[], bool] = staticmethod(lambda: False)
    timeout = QUERY_TIMEOUT

    @property
    def reusable(self) -> bool:
        """Whether it ran only queries, and all rows of the last one were fetched."""
        return self._queries and self._state in (self._STATE_NONE, self._STATE_FINISHED)

    def execute(self, operation: str, parameters: Any = None, **options: Any) -> None:
        self._queries = self._queries and _QUERY.match(operation) is not None
        # SQL Lab polls and cancels its statements itself.
        polls = bool(options.pop("async", False) or options.pop("async_", False))
        with readable_errors():
            super().execute(operation, parameters, async_=True, **options)
            if not polls:
                self._wait()

    def _wait(self) -> None:
        """Waits for the statement's end. The server responds at the end, or after half a second."""
        until = time.monotonic() + self.timeout
        while True:
            status = self.poll(get_progress_update=False)
            if status.operationState == _DONE:
                return
            if status.operationState not in _RUNNING:
                raise exc.OperationalError(server_message(status.errorMessage or "The query was cancelled."))
            if self.gone():
                self.cancel()
                raise exc.OperationalError("The query was cancelled: its page was closed.")
            if time.monotonic() > until:
                self.cancel()
                raise exc.OperationalError(
                    f"The query was cancelled: it exceeded the time limit of {self.timeout:.0f} s."
                )

    def _fetch_more(self) -> None:
        with readable_errors():
            super()._fetch_more()


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raises errors of the server and of the connection with readable messages."""
    try:
        yield
    except TTransportException as error:
        raise TTransportException(error.type, connection_message(str(error))) from error
    except exc.Error as error:
        status = getattr(error.args[0] if error.args else None, "status", None)
        if status is None or not status.errorMessage:
            raise
        raise type(error)(server_message(status.errorMessage)) from error
