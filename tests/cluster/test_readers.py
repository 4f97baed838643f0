"""The tables that an account of the Thrift Server can read, in any spelling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyhive import hive as pyhive
from pyhive.exc import OperationalError
from pyspark.sql import SparkSession
from TCLIService import ttypes
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TTransportException
from thrift_sasl import TSaslClientTransport

from services.processes import Service
from services.stack import Stack
from support.thrift_users import set_user

PASSWORDS = {"engineer": "e-7f3a55d0", "dqops": "d-91c2ab64", "analyst": "a-5be01f77"}
REASON = "The account `analyst` reads the tables of gold and ops, by name."

READING = """
SELECT * FROM {s}.airlines
SELECT * FROM `{s}`.`airlines`
SELECT * FROM spark_catalog.{s}.airlines
SELECT a.code FROM {s}.airlines AS a JOIN gold.airlines AS g ON a.code = g.code
SELECT (SELECT max(name) FROM {s}.airlines)
SELECT 1 WHERE EXISTS (SELECT 1 FROM {s}.airlines)
SELECT 1 WHERE 'AA' IN (SELECT code FROM {s}.airlines)
SELECT * FROM gold.airlines AS g, LATERAL (SELECT name FROM {s}.airlines AS a WHERE a.code = g.code)
SELECT code FROM gold.airlines UNION ALL SELECT code FROM {s}.airlines
WITH c AS (SELECT * FROM {s}.airlines) SELECT count(*) FROM c
WITH RECURSIVE r(n) AS (SELECT max(n) FROM {s}.airlines UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r
SELECT count(*) FROM (SELECT * FROM {s}.airlines LIMIT 1)
TABLE {s}.airlines
FROM {s}.airlines SELECT code
FROM {s}.airlines |> SELECT code
SELECT * FROM IDENTIFIER('{s}.' || 'airlines')
SELECT * FROM {s}.airlines VERSION AS OF 0
SELECT * FROM {s}.airlines FOR SYSTEM_VERSION AS OF 1
SELECT * FROM {s}.airlines TABLESAMPLE (50 PERCENT) AS a
SELECT * FROM table_changes('{s}.airlines', 0)
SELECT * FROM table_changes('`{s}`.airlines', 0, 1)
EXECUTE IMMEDIATE 'SELECT * FROM {s}' || '.airlines'
BEGIN SELECT * FROM {s}.airlines; END
EXPLAIN SELECT * FROM {s}.airlines
EXPLAIN EXTENDED SELECT * FROM {s}.airlines
EXPLAIN FORMATTED SELECT * FROM {s}.airlines
DESCRIBE QUERY SELECT * FROM {s}.airlines
DESCRIBE {s}.airlines
DESCRIBE EXTENDED {s}.airlines
DESCRIBE TABLE IDENTIFIER('{s}.airlines')
DESCRIBE {s}.airlines code
DESCRIBE HISTORY {s}.airlines
DESCRIBE DETAIL {s}.airlines
DESCRIBE DATABASE {s}
SHOW COLUMNS IN {s}.airlines
SHOW COLUMNS IN airlines IN {s}
SHOW TABLES IN {s}
SHOW TABLE EXTENDED IN {s} LIKE '*'
SHOW VIEWS IN {s}
SHOW TBLPROPERTIES {s}.airlines
SELECT * FROM {s}.plain
DESCRIBE {s}.plain
SHOW COLUMNS IN {s}.plain
SHOW CREATE TABLE {s}.plain
SELECT * FROM {s}.fine
DESCRIBE {s}.fine
SHOW CREATE TABLE {s}.fine
""".strip().splitlines()
"""Statements that read a schema. Analysts may run them on gold and ops."""

BY_PATH = """
SELECT * FROM delta.`{path}`
SELECT * FROM delta.`{path}` VERSION AS OF 0
SELECT * FROM delta.`{path}@v0`
SELECT * FROM parquet.`{path}`
SELECT * FROM text.`{path}/_delta_log/*.json`
SELECT * FROM binaryFile.`{path}`
SELECT * FROM text.`file:/etc/passwd`
SELECT * FROM table_changes_by_path('{path}', 0)
DESCRIBE HISTORY delta.`{path}`
DESCRIBE HISTORY '{path}'
DESCRIBE DETAIL '{path}'
DESCRIBE DETAIL delta.`{path}`
DESCRIBE delta.`{path}`
""".strip().splitlines()

OTHERS = """
SELECT * FROM gold.through
SELECT nosuch FROM bronze.airlines
CACHE TABLE mine AS SELECT * FROM bronze.airlines
CACHE TABLE bronze.airlines
UNCACHE TABLE bronze.airlines
REFRESH TABLE bronze.airlines
CLEAR CACHE
CREATE TEMPORARY VIEW v AS SELECT * FROM bronze.airlines
CREATE TEMPORARY VIEW v USING delta OPTIONS (path '{path}')
CREATE VIEW gold.v AS SELECT * FROM bronze.airlines
CREATE TABLE gold.t USING delta AS SELECT * FROM bronze.airlines
CREATE TABLE gold.t USING delta LOCATION '{path}'
CREATE TABLE gold.t SHALLOW CLONE bronze.airlines
CREATE DATABASE mine
INSERT INTO gold.airlines SELECT * FROM bronze.airlines
INSERT OVERWRITE DIRECTORY '/tmp/mine' USING csv SELECT * FROM gold.airlines
DELETE FROM gold.airlines
UPDATE gold.airlines SET n = 0
MERGE INTO gold.airlines AS g USING bronze.airlines AS b ON g.code = b.code WHEN MATCHED THEN DELETE
ALTER TABLE gold.airlines SET TBLPROPERTIES ('a' = 'b')
DROP TABLE gold.airlines
OPTIMIZE gold.airlines
VACUUM gold.airlines
RESTORE TABLE gold.airlines TO VERSION AS OF 0
ANALYZE TABLE bronze.airlines COMPUTE STATISTICS
DECLARE VARIABLE v STRING DEFAULT 'x'
SET
SET -v
SET spark.sql.ansi.enabled=false
SET spark.sql.analyzer.singlePassResolver.enabled=true
SET spark.sql.catalog.mine=org.apache.spark.sql.delta.catalog.DeltaCatalog
RESET
""".strip().splitlines()
"""Statements that an analyst cannot run."""

HARMLESS = """
SELECT 1
SELECT * FROM range(3)
SELECT * FROM VALUES (1), (2) AS t(a)
SELECT explode(array(1, 2))
SHOW DATABASES
SHOW FUNCTIONS
DESCRIBE FUNCTION upper
SET spark.sql.thriftserver.scheduler.pool=dashboards
USE bronze
USE default
USE gold
SELECT count(*) FROM airlines
SHOW TABLES
""".strip().splitlines()


@pytest.fixture(scope="module")
def warehouse(hive: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Schemas with the same tables and views in each, and a view in gold that reads silver."""
    folder = tmp_path_factory.mktemp("readers")
    schemas = ("bronze", "silver", "gold", "ops")
    for schema in schemas:
        hive.sql(f"CREATE DATABASE {schema}")
        rows = "VALUES ('AA', 'American', 1), ('UA', 'United', 2) AS t(code, name, n)"
        hive.sql(
            f"CREATE TABLE {schema}.airlines USING delta LOCATION '{folder}/{schema}/airlines' AS SELECT * FROM {rows}"
        )
        hive.sql(f"INSERT INTO {schema}.airlines VALUES ('DL', 'Delta', 3)")
        hive.sql(
            f"CREATE TABLE {schema}.plain USING parquet LOCATION '{folder}/{schema}/plain' AS SELECT 1 AS a"
        )
        hive.sql(f"CREATE VIEW {schema}.fine AS SELECT code FROM {schema}.airlines")
    hive.sql("CREATE VIEW gold.through AS SELECT * FROM silver.airlines")
    yield folder
    for schema in schemas:
        hive.sql(f"DROP DATABASE {schema} CASCADE")


@pytest.fixture(scope="module")
def server(stack: Stack, warehouse: Path) -> Service:
    """A Thrift Server with the services' accounts. The user ada of the users' file reads ops."""
    users = warehouse / "users"
    set_user(users, "ada", "correct-horse", ["ops"])
    set_user(users, "bob", "battery-staple")
    accounts = {f"THRIFT_{name.upper()}_PASSWORD": password for name, password in PASSWORDS.items()}
    return stack.start(stack.thrift_with("readers", THRIFT_USERS_FILE=str(users), **accounts))


def session(server: Service, user: str, password: str = "", **options: Any) -> Any:
    return pyhive.connect(
        "127.0.0.1",
        server.port,
        auth="CUSTOM",
        username=user,
        password=password or PASSWORDS[user],
        **options,
    )


def refusal(connection: Any, statement: str) -> str:
    """The error message of a statement; empty if it runs."""
    with closing(connection.cursor()) as cursor:
        try:
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()
        except OperationalError as error:
            return str(error.args[0].status.errorMessage)
    return ""


def spelled(statements: list[str], warehouse: Path, schema: str) -> list[str]:
    return [each.format(s=schema, path=warehouse / schema / "airlines") for each in statements]


def test_analyst_cannot_read_other_schemas_by_any_spelling(server: Service, warehouse: Path) -> None:
    statements = [
        *spelled(READING, warehouse, "bronze"),
        *spelled(READING[:20], warehouse, "silver"),
        *spelled(BY_PATH, warehouse, "bronze"),
        *spelled(BY_PATH, warehouse, "gold"),
        *spelled(OTHERS, warehouse, "bronze"),
    ]
    with closing(session(server, "analyst")) as connection:
        found = {each: refusal(connection, each) for each in statements}
        refused = {each: text for each, text in found.items() if "GS926" in text and REASON in text}
        assert found.keys() - refused.keys() == set()
        assert not [text for text in refused.values() if "American" in text or "`name`" in text]
        # Spark reads the file to infer columns, with a plan that is refused.
        assert refusal(connection, "SELECT * FROM csv.`file:/etc/passwd`") != ""
        assert refusal(connection, "USE bronze") == ""
        for each in ("SELECT * FROM airlines", "SHOW TABLES", "SHOW COLUMNS IN airlines"):
            assert REASON in refusal(connection, each)


def test_analyst_can_run_the_same_statements_on_gold_and_ops(server: Service, warehouse: Path) -> None:
    with closing(session(server, "analyst")) as connection:
        for statement in [
            *spelled(READING, warehouse, "gold"),
            *spelled(READING[:20], warehouse, "ops"),
            *HARMLESS,
        ]:
            assert refusal(connection, statement) == "", statement


def versions(connection: Any, *schemas: str) -> list[tuple[str, str, int]]:
    names = ", ".join(f"'{schema}'" for schema in schemas)
    columns = "schema_name, table_name, version"
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT {columns} FROM table_versions({names}) ORDER BY 1")
        return list(cursor.fetchall())


def test_versions_are_listed_for_readable_tables_only(server: Service) -> None:
    gold, ops = ("gold", "airlines", 1), ("ops", "airlines", 1)
    with closing(session(server, "analyst")) as connection:
        assert versions(connection, "bronze", "gold", "OPS", "nosuch") == [gold, ops]
        assert versions(connection, "bronze") == []
        assert "table_versions expects schema names" in refusal(
            connection, "SELECT * FROM table_versions(NULL)"
        )
    with closing(session(server, "engineer")) as connection:
        assert versions(connection, "gold", "bronze") == [("bronze", "airlines", 1), gold]


@pytest.mark.parametrize("user", ["engineer", "dqops"])
def test_engineers_and_dqops_read_all_schemas(server: Service, warehouse: Path, user: str) -> None:
    with closing(session(server, user, configuration={"spark.sql.ansi.enabled": "false"})) as connection:
        for statement in [
            *spelled(READING, warehouse, "bronze"),
            *spelled(BY_PATH, warehouse, "silver"),
            "SELECT * FROM gold.through",
            "SET spark.sql.ansi.enabled=false",
        ]:
            assert refusal(connection, statement) == "", statement


def test_user_reads_the_schemas_of_the_users_file(server: Service) -> None:
    with closing(session(server, "ada", "correct-horse")) as connection:
        assert refusal(connection, "SELECT * FROM ops.airlines") == ""
        message = refusal(connection, "SELECT * FROM gold.airlines")
        assert (
            "The table `gold.airlines` may not be read. The account `ada` reads the tables of ops" in message
        )
    with closing(session(server, "bob", "battery-staple")) as connection:
        assert refusal(connection, "SELECT * FROM bronze.airlines") == ""


def test_metadata_calls_list_readable_schemas_only(server: Service) -> None:
    def listed(user: str, schema: str) -> set[str]:
        with closing(session(server, user)) as connection:
            request = ttypes.TGetColumnsReq(connection.sessionHandle, schemaName=schema, tableName="airlines")
            responses = [connection.client.GetColumns(request)]
            request = ttypes.TGetTablesReq(connection.sessionHandle, schemaName=schema, tableName="%")
            responses.append(connection.client.GetTables(request))
            return {ttypes.TStatusCode._VALUES_TO_NAMES[each.status.statusCode] for each in responses}

    assert listed("analyst", "gold") == {"SUCCESS_STATUS"}
    assert listed("analyst", "bronze") == {"ERROR_STATUS"}
    assert listed("analyst", "%") == {"ERROR_STATUS"}
    assert listed("engineer", "bronze") == {"SUCCESS_STATUS"}


@pytest.mark.parametrize(
    "settings",
    [
        {"spark.sql.analyzer.singlePassResolver.enabled": "true"},
        {"set:hiveconf:spark.sql.analyzer.singlePassResolver.enabled": "true"},
        {"set:hivevar:spark.sql.analyzer.singlePassResolver.enabled": "true"},
        {"set:hivevar:spark.sql.catalog.spark_catalog": "mine"},
        {"hive.security.authorization.enabled": "false"},
        {"set:hiveconf:hive.security.authorization.enabled": "false"},
        {"hive.server2.proxy.user": "engineer"},
    ],
)
def test_session_with_other_settings_is_refused(server: Service, settings: dict[str, str]) -> None:
    try:
        connection = session(server, "analyst", configuration=settings)
    except OperationalError:
        return
    with closing(connection):
        assert refusal(connection, "SELECT * FROM bronze.airlines") != ""
        request = ttypes.TGetColumnsReq(connection.sessionHandle, schemaName="bronze", tableName="airlines")
        answer = connection.client.GetColumns(request)
        assert answer.status.statusCode == ttypes.TStatusCode.ERROR_STATUS


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("engineer", PASSWORDS["analyst"]),
        ("engineer@analyst", PASSWORDS["analyst"]),
        ("analyst", "x"),
        ("analyst", "None"),
        ("eve", PASSWORDS["analyst"]),
    ],
)
def test_password_of_another_user_is_refused(server: Service, user: str, password: str) -> None:
    with pytest.raises(TTransportException):
        session(server, user, password)


def test_login_under_another_name_is_refused(server: Service) -> None:
    class Impersonation:
        """SASL PLAIN with another user as the authorization identity."""

        mechanism = "PLAIN"

        def start(self, _mechanism: str) -> tuple[bool, str, bytes]:
            return True, "PLAIN", f"engineer\0analyst\0{PASSWORDS['analyst']}".encode()

        def encode(self, data: bytes) -> tuple[bool, bytes]:
            return True, data

    transport = TSaslClientTransport(Impersonation, "PLAIN", TSocket("127.0.0.1", server.port))
    try:
        connection = pyhive.connect(thrift_transport=transport, username="engineer")
    except (TTransportException, OperationalError):
        return
    with closing(connection):
        assert REASON in refusal(connection, "SELECT * FROM bronze.airlines")
