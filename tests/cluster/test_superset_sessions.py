"""The connections by which Superset asks the Thrift Server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from goldsmith_superset.reading import AWAY
from goldsmith_superset.sessions import Session, Sessions
from pyhive.exc import OperationalError
from TCLIService import ttypes
from thrift.transport.TTransport import TTransportException

from services.processes import Service
from services.stack import ROOT, Stack

HEALTH = ROOT / "spark" / "health.py"
QUERY = "SELECT explode(array(1, 2, 3))"


@pytest.fixture(scope="module")
def server(stack: Stack) -> Iterator[Service]:
    """A server that these tests may stop."""
    server = stack.thrift_with("restarted")
    with server.running():
        yield server


@pytest.fixture
def connect(server: Service) -> Callable[[], Session]:
    sessions = Sessions()
    return lambda: sessions.connect(
        host="127.0.0.1", port=server.port, username="superset", database="default"
    )


def asked(session: Session, statement: str = QUERY) -> list[tuple[Any, ...]]:
    cursor = session.cursor()
    cursor.execute(statement)
    return list(cursor.fetchall())


def test_a_session_is_kept_for_the_next_question(connect: Callable[[], Session]) -> None:
    with closing(connect()) as first:
        assert asked(first) == [(1,), (2,), (3,)]
        with closing(connect()) as beside:
            assert beside is not first
            assert asked(beside) == [(1,), (2,), (3,)]
    assert connect() is first
    assert connect() is beside
    assert connect() not in (first, beside)


def test_one_that_was_changed_or_not_answered_to_its_end_is_not_kept(connect: Callable[[], Session]) -> None:
    def shows(session: Session) -> None:
        asked(session, "SHOW DATABASES")

    def sets(session: Session) -> None:
        asked(session, "SET spark.sql.ansi.enabled=false")

    def fails(session: Session) -> None:
        with pytest.raises(OperationalError, match=r"^\[DIVIDE_BY_ZERO\]"):
            asked(session, "SELECT 1 / 0")

    def leaves_rows(session: Session) -> None:
        cursor = session.cursor()
        cursor.execute(QUERY)
        assert cursor.fetchone() == (1,)

    for changes in (shows, sets, fails, leaves_rows):
        with closing(connect()) as session:
            changes(session)
        with closing(connect()) as after:
            assert after is not session, changes
            asked(after, "SHOW TABLES")


SLOW = "SELECT count(*) FROM range(1000000000000) WHERE id % 3 = 1"


def test_a_query_that_nobody_waits_for_is_cancelled(connect: Callable[[], Session]) -> None:
    with closing(connect()) as session:
        cursor = session.cursor()
        cursor.gone = lambda: True
        with pytest.raises(OperationalError, match="its page was left"):
            cursor.execute(SLOW)
        assert cursor.poll(False).operationState == ttypes.TOperationState.CANCELED_STATE
    with closing(connect()) as after:
        assert after is not session
        assert asked(after) == [(1,), (2,), (3,)]


def test_a_query_that_takes_too_long_is_cancelled_and_says_so(connect: Callable[[], Session]) -> None:
    with closing(connect()) as session:
        cursor = session.cursor()
        cursor.longest = 1.0
        with pytest.raises(OperationalError, match="longer than 1 s"):
            cursor.execute(SLOW)
        assert cursor.poll(False).operationState == ttypes.TOperationState.CANCELED_STATE


def is_healthy(server: Service) -> bool:
    """What the container's health check finds, within the time that docker-compose.yaml gives it."""
    environment = {**os.environ, "PROBE_HOST": "127.0.0.1", "PROBE_PORT": str(server.port)}
    try:
        done = subprocess.run([sys.executable, HEALTH, "thrift"], env=environment, check=False, timeout=15)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def busy(connect: Callable[[], Session]) -> Iterator[None]:
    """While queries have all cores of the server."""
    with ExitStack() as begun:
        for _ in range(4):
            cursor = begun.enter_context(closing(connect())).cursor()
            cursor.execute(SLOW, async_=True)
            begun.callback(cursor.cancel)
        yield


def test_a_server_is_healthy_while_queries_have_all_its_cores(
    server: Service, connect: Callable[[], Session]
) -> None:
    with busy(connect):
        assert is_healthy(server)
        with closing(connect()) as session:
            cursor = session.cursor()
            cursor.longest = 15.0
            cursor.execute("SELECT * FROM table_versions('default')")
            assert cursor.fetchall() == []


def test_a_server_that_was_killed_is_healthy_as_soon_as_it_is_back(
    server: Service, connect: Callable[[], Session]
) -> None:
    assert is_healthy(server)
    server.kill()
    assert not is_healthy(server)
    server.start()
    server.wait()
    with busy(connect):
        # As often as it may fail before the container is unhealthy. The first statements of a server take long.
        assert any(is_healthy(server) for _ in range(6))
        assert is_healthy(server)


def test_one_that_waited_too_long_is_left(server: Service) -> None:
    sessions = Sessions(idle=0)
    where = {"host": "127.0.0.1", "port": server.port, "username": "superset"}
    with closing(sessions.connect(**where)) as session:
        asked(session)
    with closing(sessions.connect(**where)) as after:
        assert after is not session
        assert asked(after) == [(1,), (2,), (3,)]


def test_one_that_the_server_ended_is_left(connect: Callable[[], Session]) -> None:
    with closing(connect()) as session:
        asked(session)
    session.client.CloseSession(ttypes.TCloseSessionReq(session.sessionHandle))
    with closing(connect()) as after:
        assert after is not session
        assert asked(after) == [(1,), (2,), (3,)]


def test_no_more_are_kept_than_are_wanted(server: Service) -> None:
    sessions = Sessions(most=1)
    where = {"host": "127.0.0.1", "port": server.port, "username": "superset"}
    first, second = sessions.connect(**where), sessions.connect(**where)
    first.close()
    second.close()
    assert sessions.connect(**where) is second
    assert sessions.connect(**where) not in (first, second)


def test_other_users_and_databases_have_sessions_of_their_own(server: Service) -> None:
    sessions = Sessions()
    where = {"host": "127.0.0.1", "port": server.port, "username": "superset", "database": "default"}
    with closing(sessions.connect(**where)) as session:
        asked(session)
    assert sessions.connect(**{**where, "username": "ada"}) is not session
    assert sessions.connect(**where) is session


def test_a_server_that_restarted_is_asked_anew(server: Service, connect: Callable[[], Session]) -> None:
    with closing(connect()) as session:
        asked(session)
    with closing(connect()) as half:
        cursor = half.cursor()
        cursor.execute(QUERY)
        server.stop()
        with pytest.raises(TTransportException, match=AWAY):
            cursor.fetchall()
    with pytest.raises(TTransportException, match=AWAY):
        connect()
    server.start()
    server.wait()
    with closing(connect()) as after:
        assert after is not session
        assert asked(after) == [(1,), (2,), (3,)]
