"""Superset's sessions on the Thrift Server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from goldsmith_superset.sessions import SessionPool, ThriftSession
from goldsmith_superset.statements import NO_RESPONSE
from pyhive.exc import OperationalError
from TCLIService import ttypes
from thrift.transport.TTransport import TTransportException

from services.processes import Service
from services.stack import ROOT, Stack

HEALTH = ROOT / "spark" / "health.py"
QUERY = "SELECT explode(array(1, 2, 3))"


@pytest.fixture(scope="module")
def server(stack: Stack) -> Iterator[Service]:
    """A server for these tests, which may stop it."""
    server = stack.thrift_with("restarted")
    with server.running():
        yield server


@pytest.fixture
def connect(server: Service) -> Callable[[], ThriftSession]:
    sessions = SessionPool()
    return lambda: sessions.connect(
        host="127.0.0.1", port=server.port, username="superset", database="default"
    )


def query_rows(session: ThriftSession, statement: str = QUERY) -> list[tuple[Any, ...]]:
    cursor = session.cursor()
    cursor.execute(statement)
    return list(cursor.fetchall())


def test_session_is_reused_for_the_next_query(connect: Callable[[], ThriftSession]) -> None:
    with closing(connect()) as first:
        assert query_rows(first) == [(1,), (2,), (3,)]
        with closing(connect()) as beside:
            assert beside is not first
            assert query_rows(beside) == [(1,), (2,), (3,)]
    assert connect() is first
    assert connect() is beside
    assert connect() not in (first, beside)


def test_changed_or_unfinished_session_is_not_reused(
    connect: Callable[[], ThriftSession],
) -> None:
    def shows(session: ThriftSession) -> None:
        query_rows(session, "SHOW DATABASES")

    def sets(session: ThriftSession) -> None:
        query_rows(session, "SET spark.sql.ansi.enabled=false")

    def fails(session: ThriftSession) -> None:
        with pytest.raises(OperationalError, match=r"^\[DIVIDE_BY_ZERO\]"):
            query_rows(session, "SELECT 1 / 0")

    def leaves_rows(session: ThriftSession) -> None:
        cursor = session.cursor()
        cursor.execute(QUERY)
        assert cursor.fetchone() == (1,)

    for changes in (shows, sets, fails, leaves_rows):
        with closing(connect()) as session:
            changes(session)
        with closing(connect()) as after:
            assert after is not session, changes
            query_rows(after, "SHOW TABLES")


SLOW = "SELECT count(*) FROM range(1000000000000) WHERE id % 3 = 1"


def test_abandoned_query_is_cancelled(connect: Callable[[], ThriftSession]) -> None:
    with closing(connect()) as session:
        cursor = session.cursor()
        cursor.gone = lambda: True
        with pytest.raises(OperationalError, match="its page was closed"):
            cursor.execute(SLOW)
        assert cursor.poll(False).operationState == ttypes.TOperationState.CANCELED_STATE
    with closing(connect()) as after:
        assert after is not session
        assert query_rows(after) == [(1,), (2,), (3,)]


def test_query_over_the_time_limit_is_cancelled(connect: Callable[[], ThriftSession]) -> None:
    with closing(connect()) as session:
        cursor = session.cursor()
        cursor.timeout = 1.0
        with pytest.raises(OperationalError, match="time limit of 1 s"):
            cursor.execute(SLOW)
        assert cursor.poll(False).operationState == ttypes.TOperationState.CANCELED_STATE


def is_healthy(server: Service) -> bool:
    """The result of the container's health check, within the time limit of docker-compose.yaml."""
    environment = {**os.environ, "PROBE_HOST": "127.0.0.1", "PROBE_PORT": str(server.port)}
    try:
        done = subprocess.run([sys.executable, HEALTH, "thrift"], env=environment, check=False, timeout=15)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def busy(connect: Callable[[], ThriftSession]) -> Iterator[None]:
    """Keeps all cores of the server busy with queries."""
    with ExitStack() as started:
        for _ in range(4):
            cursor = started.enter_context(closing(connect())).cursor()
            cursor.execute(SLOW, async_=True)
            started.callback(cursor.cancel)
        yield


def test_server_is_healthy_while_queries_use_all_cores(
    server: Service, connect: Callable[[], ThriftSession]
) -> None:
    with busy(connect):
        assert is_healthy(server)
        with closing(connect()) as session:
            cursor = session.cursor()
            cursor.timeout = 15.0
            cursor.execute("SELECT * FROM table_versions('default')")
            assert cursor.fetchall() == []


def test_killed_server_is_healthy_after_its_restart(
    server: Service, connect: Callable[[], ThriftSession]
) -> None:
    assert is_healthy(server)
    server.kill()
    assert not is_healthy(server)
    server.start()
    server.wait()
    with busy(connect):
        # The number of failures before the container is unhealthy. A server's first statements are slow.
        assert any(is_healthy(server) for _ in range(6))
        assert is_healthy(server)


def test_session_idle_for_too_long_is_not_reused(server: Service) -> None:
    sessions = SessionPool(idle=0)
    where = {"host": "127.0.0.1", "port": server.port, "username": "superset"}
    with closing(sessions.connect(**where)) as session:
        query_rows(session)
    with closing(sessions.connect(**where)) as after:
        assert after is not session
        assert query_rows(after) == [(1,), (2,), (3,)]


def test_session_ended_by_the_server_is_not_reused(connect: Callable[[], ThriftSession]) -> None:
    with closing(connect()) as session:
        query_rows(session)
    session.client.CloseSession(ttypes.TCloseSessionReq(session.sessionHandle))
    with closing(connect()) as after:
        assert after is not session
        assert query_rows(after) == [(1,), (2,), (3,)]


def test_number_of_pooled_sessions_is_limited(server: Service) -> None:
    sessions = SessionPool(most=1)
    where = {"host": "127.0.0.1", "port": server.port, "username": "superset"}
    first, second = sessions.connect(**where), sessions.connect(**where)
    first.close()
    second.close()
    assert sessions.connect(**where) is second
    assert sessions.connect(**where) not in (first, second)


def test_sessions_are_pooled_per_user_and_database(server: Service) -> None:
    sessions = SessionPool()
    where = {"host": "127.0.0.1", "port": server.port, "username": "superset", "database": "default"}
    with closing(sessions.connect(**where)) as session:
        query_rows(session)
    assert sessions.connect(**{**where, "username": "ada"}) is not session
    assert sessions.connect(**where) is session


def test_restarted_server_gets_new_sessions(server: Service, connect: Callable[[], ThriftSession]) -> None:
    with closing(connect()) as session:
        query_rows(session)
    with closing(connect()) as half:
        cursor = half.cursor()
        cursor.execute(QUERY)
        server.stop()
        with pytest.raises(TTransportException, match=NO_RESPONSE):
            cursor.fetchall()
    with pytest.raises(TTransportException, match=NO_RESPONSE):
        connect()
    server.start()
    server.wait()
    with closing(connect()) as after:
        assert after is not session
        assert query_rows(after) == [(1,), (2,), (3,)]
