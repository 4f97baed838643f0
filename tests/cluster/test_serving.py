"""SQL clients of the Thrift Server: queries, metadata, sessions and logins."""

from __future__ import annotations

import importlib
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyhive import hive as pyhive
from pyhive.exc import OperationalError
from pyspark.sql import SparkSession
from TCLIService import ttypes
from thrift.transport.TSSLSocket import TSSLSocket
from thrift.transport.TTransport import TTransportException
from thrift_sasl import TSaslClientTransport

from goldsmith.errors import GoldsmithError, NotReady
from goldsmith.run.sql_query import run_query
from goldsmith.run.thrift_sql import ThriftServer, ThriftSql
from services.processes import Service
from services.stack import ROOT, Stack, spark_home
from support.containers import until
from support.lake import Lake
from support.thrift_users import remove_user, set_user

SESSIONS = 200

YAML = """
description: "People; it's a list."
source: {files: people/*.csv, format: csv}
columns:
  id: {type: bigint, description: Who.}
  name: {type: string, description: What they are called.}
  born: date
  pay: decimal(9,2)
"""


@pytest.fixture(scope="module")
def people(hive: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A table with three rows, registered by a run."""
    lake = Lake(hive, tmp_path_factory.mktemp("people"))
    lake.write("goldsmith.yaml", "name: test\nprofiles: {local: {catalog: hive}}")
    lake.declare("bronze.people", YAML)
    lake.deliver(
        "people/1.csv", "id,name,born,pay\n1,Ada,1815-12-10,10.50\n2,Bob,1990-01-01,\n3,Cyd,2000-02-29,1.00\n"
    )
    lake.done()
    yield lake
    for name in ("bronze", "quarantine", "ops"):
        hive.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")


def rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


CODE = (
    "SELECT reflect('java.lang.System', 'getenv', 'PATH')",
    "SELECT java_method('java.lang.System', 'getenv', 'PATH')",
    "SELECT try_reflect('java.lang.System', 'getenv', 'PATH')",
    "SELECT IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'PATH')",
    "SELECT * FROM VALUES (1) AS t(a) WHERE a IN (SELECT length(reflect('java.lang.System', 'getenv', 'PATH')))",
    "WITH c AS (SELECT reflect('java.lang.System', 'getenv', 'PATH') AS p) SELECT p FROM c",
    "EXECUTE IMMEDIATE \"SELECT ref\" || \"lect('java.lang.System', 'getenv', 'PATH')\"",
    "CREATE TEMPORARY VIEW v AS SELECT reflect('java.lang.System', 'getenv', 'PATH') AS p",
    "SELECT TRANSFORM(1) USING 'env' AS (x string)",
    "SELECT * FROM (MAP 1 USING 'env' AS (x string)) AS t",
    "ADD JAR 'file:/tmp/x.jar'",
    "ADD FILE 'file:/etc/hostname'",
    "ADD ARCHIVE 'file:/tmp/x.zip'",
    "CREATE TEMPORARY FUNCTION f AS 'org.apache.hadoop.hive.ql.udf.generic.GenericUDFReflect'",
)
"""Statements that would run code in the server."""


@pytest.mark.parametrize("statement", CODE)
def test_reader_cannot_run_code_in_the_server(people: Lake, stack: Stack, statement: str) -> None:
    with closing(pyhive.connect("127.0.0.1", stack.thrift.port, auth="NONE", username="ada")) as connection:
        with pytest.raises(OperationalError) as refused:
            rows(connection, statement)
        assert "which accepts only queries" in str(refused.value)
        assert rows(connection, "SELECT transform(array(1, 2), x -> x + 1)") == [("[2,3]",)]


def columns(connection: Any, schema: str, table: str) -> list[tuple[str, str, str]]:
    """Names, types and comments as in JDBC's getColumns."""
    request = ttypes.TGetColumnsReq(connection.sessionHandle, schemaName=schema, tableName=table)
    answer = connection.client.GetColumns(request)
    fetch = ttypes.TFetchResultsReq(answer.operationHandle, ttypes.TFetchOrientation.FETCH_NEXT, 1000)
    found = connection.client.FetchResults(fetch).results.columns
    return list(zip(*(found[position].stringVal.values for position in (3, 5, 11)), strict=True))


def beeline(
    service: Service, query: str, *arguments: str, url: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(spark_home() / "bin" / "beeline", "-u", f"jdbc:hive2://127.0.0.1:{service.port}/{url}"),
            *("--outputformat=csv2", "--silent=true", *arguments, "-e", query),
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_pyhive_reads_tables_with_names_types_and_comments(people: Lake, stack: Stack) -> None:
    with closing(pyhive.connect("127.0.0.1", stack.thrift.port, auth="NONE", username="ada")) as connection:
        assert rows(connection, "SELECT name, pay FROM bronze.people WHERE born < '1900-01-01'") == [
            ("Ada", 10.50)
        ]
        found = columns(connection, "bronze", "people")
    assert found[:4] == [
        ("id", "BIGINT", "Who."),
        ("name", "STRING", "What they are called."),
        ("born", "DATE", ""),
        ("pay", "DECIMAL(9,2)", ""),
    ]


def test_zero_of_either_sign_is_found(people: Lake, stack: Stack) -> None:
    zeros = people.spark.sql("SELECT double('-0.0') AS v FROM range(0, 5, 1, 1)")
    zeros.write.format("delta").saveAsTable("bronze.zeros")
    with closing(pyhive.connect("127.0.0.1", stack.thrift.port, auth="NONE", username="ada")) as connection:
        assert rows(connection, "SELECT count(*) FROM bronze.zeros WHERE v = 0") == [(5,)]


def test_beeline_reads_tables(people: Lake, stack: Stack) -> None:
    ended = beeline(stack.thrift, "SELECT count(*) AS n FROM bronze.people", "-n", "ada")
    assert ended.stdout.split()[-2:] == ["n", "3"], ended.stderr[-2000:]


def test_sessions_share_the_cores_in_fair_pools(people: Lake, stack: Stack) -> None:
    with closing(pyhive.connect("127.0.0.1", stack.thrift.port, auth="NONE", username="ada")) as connection:
        rows(connection, "SET spark.sql.thriftserver.scheduler.pool=dashboards")
        assert rows(connection, "SELECT count(*) FROM bronze.people") == [(3,)]
        settings = rows(connection, "SET spark.sql.thriftServer.incrementalCollect")
    assert settings == [("spark.sql.thriftServer.incrementalCollect", "true")]


def test_sessions_can_open_while_others_close(stack: Stack) -> None:
    def once(_: int) -> list[tuple[Any, ...]]:
        with closing(
            pyhive.connect("127.0.0.1", stack.thrift.port, username="reader", auth="NONE")
        ) as session:
            return rows(session, "SELECT 1")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(once, range(SESSIONS))) == [[(1,)]] * SESSIONS


def test_tables_with_any_columns_are_opened_in_advance(
    hive: SparkSession, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "spark"))
    warm = importlib.import_module("warm")
    hive.sql("CREATE DATABASE IF NOT EXISTS gold")
    hive.sql(
        "CREATE TABLE gold.odd USING delta AS SELECT 1 AS id, map('a', 1.5) AS m, array(1) AS a, DATE '2024-01-01' AS d"
    )
    hive.sql("CREATE TABLE gold.plain (id INT, name STRING) USING delta")
    hive.sql("CREATE VIEW gold.broken AS SELECT * FROM gold.odd")
    try:
        hive.sql("ALTER TABLE gold.odd RENAME TO gold.odder")
        with closing(
            pyhive.connect("127.0.0.1", stack.thrift.port, username="reader", auth="NONE")
        ) as session:
            opened, errors = warm.warm(session)
        assert opened >= 2
        [error] = errors
        assert error.startswith("gold.broken could not be opened in advance: ")
        assert "`gold`.`odd`" in error
        assert "\tat " not in error
    finally:
        hive.sql("DROP DATABASE gold CASCADE")


def test_query_cannot_read_the_servers_environment(people: Lake, stack: Stack) -> None:
    with closing(pyhive.connect("127.0.0.1", stack.thrift.port, auth="NONE", username="ada")) as connection:
        assert rows(connection, "SELECT '${env:SPARK_HOME}'") == [("${env:SPARK_HOME}",)]


def test_session_survives_a_killed_metastore(people: Lake, stack: Stack) -> None:
    with closing(pyhive.connect("127.0.0.1", stack.thrift.port, auth="NONE", username="ada")) as connection:
        assert rows(connection, "SELECT count(*) FROM bronze.people") == [(3,)]
        stack.metastore.kill()
        stack.metastore.start()
        assert rows(connection, "SELECT count(*) FROM bronze.people") == [(3,)]
        assert ("people",) in [row[1:2] for row in rows(connection, "SHOW TABLES IN bronze")]
    people.deliver("people/2.csv", "id,name,born,pay\n4,Dan,1999-01-01,2.00\n")
    stack.metastore.kill()
    stack.metastore.start()
    people.done()
    assert people.spark.table("bronze.people").count() == 4


@pytest.fixture(scope="module")
def guarded(stack: Stack, people: Lake, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A Thrift Server with login, encryption, small results and short sessions. Users: ada and bob."""
    folder = tmp_path_factory.mktemp("guarded")
    users = folder / "users"
    set_user(users, "ada", "correct-horse")
    set_user(users, "bob", "battery-staple")
    (folder / "keystore-password").write_text("changeit-7f3a\n")
    java_home = os.environ.get("JAVA_HOME")
    keytool = f"{java_home}/bin/keytool" if java_home else "keytool"
    keys = (
        "-alias",
        "thrift",
        "-keystore",
        folder / "keys.p12",
        "-storepass:file",
        folder / "keystore-password",
    )
    made = ("-keyalg", "RSA", "-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12")
    subprocess.run([keytool, "-genkeypair", *keys, *made], check=True, capture_output=True)
    subprocess.run(
        [keytool, "-exportcert", "-rfc", *keys, "-file", folder / "server.pem"],
        check=True,
        capture_output=True,
    )
    service = stack.thrift_with(
        "guarded",
        THRIFT_USERS_FILE=str(users),
        THRIFT_TLS_KEYSTORE=str(folder / "keys.p12"),
        THRIFT_TLS_PASSWORD_FILE=str(folder / "keystore-password"),
        THRIFT_MAX_RESULT="1m",
        THRIFT_INCREMENTAL="false",
        # A session is idle while its client waits in one call for a query: the first one is slow on a busy machine.
        THRIFT_IDLE_SESSION="60s",
        THRIFT_SESSION_CHECK="3s",
    )
    service.folder = folder
    return stack.start(service)


def logged_in(service: Service, user: str, password: str) -> Any:
    """An encrypted connection of PyHive that verifies the server's certificate."""
    context = ssl.create_default_context(cafile=service.folder / "server.pem")
    socket = TSSLSocket("127.0.0.1", service.port, ssl_context=context, server_hostname="127.0.0.1")
    transport = TSaslClientTransport(
        lambda: pyhive.get_installed_sasl("127.0.0.1", "PLAIN", username=user, password=password),
        "PLAIN",
        socket,
    )
    return pyhive.connect(thrift_transport=transport, username=user)


def server_of(service: Service) -> ThriftServer:
    """The server with ada's log-in, for `goldsmith sql`."""
    certificate = str(service.folder / "server.pem")
    return ThriftServer("127.0.0.1", service.port, "ada", "correct-horse", certificate)


def test_listed_user_can_query_with_pyhive(guarded: Service) -> None:
    with closing(logged_in(guarded, "ada", "correct-horse")) as connection:
        assert rows(connection, "SELECT min(name) FROM bronze.people") == [("Ada",)]


@pytest.mark.parametrize(
    ("user", "password"), [("ada", "battery-staple"), ("eve", "correct-horse"), ("ada", "")]
)
def test_unlisted_users_are_refused(guarded: Service, user: str, password: str) -> None:
    with pytest.raises(TTransportException):
        logged_in(guarded, user, password)


def test_removed_user_is_refused_at_once(guarded: Service) -> None:
    logged_in(guarded, "bob", "battery-staple").close()
    remove_user(guarded.folder / "users", "bob")
    with pytest.raises(TTransportException):
        logged_in(guarded, "bob", "battery-staple")


def test_users_file_readable_by_others_refuses_all_logins(guarded: Service) -> None:
    users = guarded.folder / "users"
    users.chmod(0o644)
    with pytest.raises(TTransportException):
        logged_in(guarded, "ada", "correct-horse")
    users.chmod(0o600)
    assert "GS925" in guarded.log_tail()


def test_beeline_requires_tls(guarded: Service, tmp_path: Path) -> None:
    folder = guarded.folder
    (tmp_path / "password").write_text("correct-horse")
    query = "SELECT min(id) AS n FROM bronze.people"
    trusted = f";ssl=true;sslTrustStore={folder}/keys.p12;trustStorePassword=changeit-7f3a"
    ended = beeline(guarded, query, "-n", "ada", "-w", str(tmp_path / "password"), url=trusted)
    assert ended.stdout.split()[-2:] == ["n", "1"], ended.stderr[-2000:]
    plain = beeline(guarded, query, "-n", "ada", "-w", str(tmp_path / "password"))
    assert "n" not in plain.stdout.split()


def test_result_beyond_the_limit_fails_without_ending_the_session(guarded: Service) -> None:
    with closing(logged_in(guarded, "ada", "correct-horse")) as connection:
        with pytest.raises(OperationalError, match="maxResultSize"):
            rows(connection, "SELECT uuid(), uuid(), uuid() FROM range(100000)")
        assert rows(connection, "SELECT min(name) FROM bronze.people") == [("Ada",)]


def test_idle_session_is_closed(guarded: Service) -> None:
    before = guarded.log_tail().count("Timed-out")
    connection = logged_in(guarded, "ada", "correct-horse")
    assert rows(connection, "SELECT 1") == [(1,)]
    with closing(ThriftSql(server_of(guarded))) as session:
        session.answer("SELECT 1", 1)
        until(lambda: guarded.log_tail().count("Timed-out") > before + 1, 180)
        with pytest.raises(OperationalError, match="Invalid SessionHandle"):
            rows(connection, "SELECT 1")
        # `goldsmith sql` opens another session.
        assert session.answer("SELECT 2 AS two", 1).rows == ((2,),)


def test_goldsmith_sql_answers_with_the_users_log_in(guarded: Service, people: Lake) -> None:
    server = server_of(guarded)
    with closing(ThriftSql(server)) as session:
        assert "as ada" in session.engine
        answer = session.answer(
            "SELECT id, name, born, pay, TIMESTAMP '2026-01-05 10:00:00.5' AS at, make_timestamp(12026, 1, 5, 0, 0, 0) "
            "AS late, array(1) AS list FROM bronze.people ORDER BY id",
            2,
        )
        same = run_query(
            people.spark,
            people.begin(),
            "SELECT id, name, CAST(born AS string) AS born, pay, TIMESTAMP '2026-01-05 10:00:00.5' AS at, "
            "make_timestamp(12026, 1, 5, 0, 0, 0) AS late, '[1]' AS list FROM bronze.people ORDER BY id",
            limit=2,
        )
        assert answer == same
        assert answer.more
        for statement, code in {
            "DROP TABLE bronze.people": "GS201",
            "SELECT (1": "GS201",
            "SELECT id FROM bronze.nobody": "GS202",
            "SELECT nothing FROM bronze.people": "GS203",
            "SELECT raise_error('no')": "GS403",
        }.items():
            with pytest.raises(GoldsmithError) as failed:
                session.answer(statement, 1)
            assert failed.value.code == code, failed.value.message
            assert not re.search(r"org\.apache|SQLSTATE|\n", failed.value.message)
        session._connection._transport.close()
        with pytest.raises(NotReady) as lost:
            session.answer("SELECT 1", 1)
        assert (lost.value.code, lost.value.retryable) == ("GS440", True)
        assert session.answer("SELECT 1 AS one", 1).rows == ((1,),)
    with closing(ThriftSql(replace(server, password="wrong"))) as refused, pytest.raises(NotReady) as error:
        refused.answer("SELECT 1", 1)
    assert error.value.code == "GS441"
    assert "wrong" not in f"{error.value.message}{error.value.hint}{server}"


def test_goldsmith_sql_continues_after_an_interrupted_query(guarded: Service) -> None:
    hours = "SELECT count(*) FROM range(0, 10000000000000, 1, 2) WHERE id % 7 = 9"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, interrupt)
    try:
        with closing(ThriftSql(server_of(guarded))) as session:
            session.answer("SELECT 1", 1)
            signal.alarm(3)
            with pytest.raises(KeyboardInterrupt):
                session.answer(hours, 1)
            assert session.answer("SELECT 3 AS three", 1).rows == ((3,),)
    finally:
        signal.signal(signal.SIGALRM, former)


def test_goldsmith_sql_reports_a_server_that_does_not_respond(stack: Stack) -> None:
    with closing(ThriftSql(ThriftServer("127.0.0.1", 1))) as session, pytest.raises(NotReady) as error:
        session.answer("SELECT 1", 1)
    assert (error.value.code, error.value.retryable) == ("GS440", True)


def test_command_asks_the_thrift_server_of_the_environment(people: Lake, stack: Stack) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "goldsmith.cli.main",
            "--verbose",
            "sql",
            "SELECT name FROM bronze.people WHERE id = 1",
        ],
        cwd=people.root,
        env={**os.environ, "SPARK_THRIFT_HOST": "127.0.0.1", "SPARK_THRIFT_PORT": str(stack.thrift.port)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stdout.split() == ["name", "Ada"], ended.stderr
    assert f"Answered by the Thrift Server at 127.0.0.1:{stack.thrift.port}, as engineer" in ended.stderr


def test_secrets_are_not_in_arguments_or_logs(guarded: Service) -> None:
    assert guarded.process is not None
    text = Path(f"/proc/{guarded.process.pid}/cmdline").read_text() + guarded.log.read_text()
    assert "HiveThriftServer2" in text
    assert not re.search("changeit-7f3a|correct-horse|battery-staple", text)
