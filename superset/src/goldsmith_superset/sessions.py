"""Connections to the Thrift Server: kept open for the next chart, given up when the server is gone, and plain about why.

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

from goldsmith_superset.reading import of_the_server, of_the_way

IDLE = 300.0
"""Seconds for which a session is kept without being asked."""
MOST = 12
"""As many are kept for one address and user."""

_QUERY = re.compile(r"\s*(?:SELECT|WITH)\b", re.IGNORECASE)
_GONE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""A server whose machine is gone is noticed within half a minute, by the options that the system knows."""


class Sessions:
    """The sessions that nobody asks at the moment. Threads share it."""

    def __init__(self, idle: float = IDLE, most: int = MOST) -> None:
        self._idle, self._most = idle, most
        self._lock = Lock()
        self._waiting: dict[str, list[tuple[float, Session]]] = {}

    def connect(self, **where: Any) -> Session:
        """An open session, with what `hive.connect` takes. Raises as PyHive does, with the server's own words."""
        key = repr(sorted(where.items()))
        while kept := self._taken(key):
            since, session = kept
            if time.monotonic() - since < self._idle and session.alive():
                return session
            session.hang_up()
        return Session(lambda session: self._keep(key, session), **where)

    def _taken(self, key: str) -> tuple[float, Session] | None:
        with self._lock:
            waiting = self._waiting.get(key)
            return waiting.pop() if waiting else None

    def _keep(self, key: str, session: Session) -> None:
        with self._lock:
            waiting = self._waiting.setdefault(key, [])
            waiting.append((time.monotonic(), session))
            too_many = waiting.pop(0)[1] if len(waiting) > self._most else None
        if too_many is not None:
            too_many.hang_up()


class Session(hive.Connection):
    """A connection that closing gives back, if it was asked nothing but queries and each was answered to its end."""

    def __init__(self, give_back: Callable[[Session], None], **where: Any) -> None:
        self._give_back = give_back
        self._cursors: list[Cursor] = []
        with plain():
            super().__init__(**where)
        # Those that chose the database.
        self._cursors.clear()
        if self._socket is not None:
            _notice_its_end(self._socket)

    def cursor(self, *args: Any, **options: Any) -> Cursor:
        cursor = Cursor(self, *args, **options)
        self._cursors.append(cursor)
        return cursor

    def close(self) -> None:
        """Gives the session back, or ends it."""
        answered = all(cursor.answered for cursor in self._cursors)
        try:
            for cursor in self._cursors if answered else ():
                cursor.close()
            if not answered:
                super().close()
        except (TTransportException, exc.Error):
            # What was asked has been told by now: the server is only not there to hear of the end.
            self.hang_up()
            return
        self._cursors.clear()
        if answered:
            self._give_back(self)

    def hang_up(self) -> None:
        """Leaves the server, which ends the session by itself."""
        self._transport.close()

    def alive(self) -> bool:
        """Whether the server still has the session: it ends those that idle, and all when it restarts."""
        try:
            # The smallest question that Spark answers by the session.
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


def _notice_its_end(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _GONE.items():
        if hasattr(socket, name):
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


LONGEST = 100.0
"""Seconds after which a query is cancelled. Superset's page gives up after 120."""

_DONE = ttypes.TOperationState.FINISHED_STATE
_STILL = frozenset(
    {
        ttypes.TOperationState.INITIALIZED_STATE,
        ttypes.TOperationState.PENDING_STATE,
        ttypes.TOperationState.RUNNING_STATE,
    }
)


def is_closed(connection: socket.socket) -> bool:
    """Whether the other end of a connection is gone. Reads nothing."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class Cursor(hive.Cursor):
    """A cursor that knows whether it left its session as it was, and cancels a query that nobody waits for.

    gone: whether the reader has left. longest: seconds after which a query is cancelled.
    """

    _queries = True
    gone: Callable[[], bool] = staticmethod(lambda: False)
    longest = LONGEST

    @property
    def answered(self) -> bool:
        """Whether it was asked nothing but queries, and all rows of the last one were fetched."""
        return self._queries and self._state in (self._STATE_NONE, self._STATE_FINISHED)

    def execute(self, operation: str, parameters: Any = None, **options: Any) -> None:
        self._queries = self._queries and _QUERY.match(operation) is not None
        # SQL Lab asks how far its statements are, and stops them, by itself.
        asks = bool(options.pop("async", False) or options.pop("async_", False))
        with plain():
            super().execute(operation, parameters, async_=True, **options)
            if not asks:
                self._wait()

    def _wait(self) -> None:
        """Waits for the statement's end. The server answers when it is reached, or after half a second."""
        until = time.monotonic() + self.longest
        while True:
            status = self.poll(get_progress_update=False)
            if status.operationState == _DONE:
                return
            if status.operationState not in _STILL:
                raise exc.OperationalError(of_the_server(status.errorMessage or "The query was cancelled."))
            if self.gone():
                self.cancel()
                raise exc.OperationalError("The query was cancelled: its page was left.")
            if time.monotonic() > until:
                self.cancel()
                raise exc.OperationalError(
                    f"The query was cancelled: it took longer than {self.longest:.0f} s."
                )

    def _fetch_more(self) -> None:
        with plain():
            super()._fetch_more()


@contextmanager
def plain() -> Iterator[None]:
    """Errors of the server and of the way to it, with what they say to a reader and not as they were sent."""
    try:
        yield
    except TTransportException as error:
        raise TTransportException(error.type, of_the_way(str(error))) from error
    except exc.Error as error:
        status = getattr(error.args[0] if error.args else None, "status", None)
        if status is None or not status.errorMessage:
            raise
        raise type(error)(of_the_server(status.errorMessage)) from error
