"""The start scripts refuse an invalid environment with a message, before they start a service."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.processes import Missing, Service, answers, free_ports
from services.stack import Stack, build_services


@pytest.fixture
def used_port() -> Iterator[int]:
    """A used port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def refusal(service: Service) -> str:
    """The log of a service that ends because the environment is not ready."""
    service.start()
    try:
        assert service.ended() == 4, service.log_tail()
    finally:
        service.stop()
    return service.log_tail()


@pytest.mark.parametrize(
    ("script", "variable"),
    [
        ("hive/metastore.sh", "METASTORE_PORT"),
        ("spark/bin/master.sh", "SPARK_MASTER_PORT"),
        ("spark/bin/master.sh", "SPARK_MASTER_WEBUI_PORT"),
        ("spark/bin/worker.sh", "SPARK_WORKER_WEBUI_PORT"),
        ("spark/bin/thrift.sh", "THRIFT_PORT"),
    ],
)
def test_used_port_is_refused(stack: Stack, used_port: int, script: str, variable: str) -> None:
    (other,) = free_ports(1)
    free = {"SPARK_MASTER_PORT": str(other)} if variable != "SPARK_MASTER_PORT" else {}
    service = stack.service(
        f"taken-{variable}",
        script,
        used_port,
        METASTORE_DB_PASSWORD="x",
        **{variable: str(used_port), **free},
    )
    log = refusal(service)
    assert "GS921" in log
    assert str(used_port) in log
    assert variable in log


def test_schema_of_another_version_is_refused_and_kept(stack: Stack) -> None:
    database = stack.database("another")
    first = stack.metastore_on(database, "first")
    with first.running():
        assert answers(first.port)
    change = """UPDATE "VERSION" SET "SCHEMA_VERSION" = '3.1.0'"""
    stack.postgres.sql(change, "another")
    log = refusal(stack.metastore_on(database, "another-version"))
    assert "GS922" in log
    assert "3.1.0" in log
    assert "2.3.0" in log
    assert stack.postgres.sql('SELECT "SCHEMA_VERSION" FROM "VERSION"', "another") == "3.1.0"


def test_two_metastores_can_start_concurrently_on_an_empty_database(stack: Stack) -> None:
    database = stack.database("shared")
    both = [stack.metastore_on(database, f"shared{number}") for number in (1, 2)]
    for service in both:
        service.start()
    try:
        for service in both:
            service.wait()
    finally:
        for service in both:
            service.stop()
    assert stack.postgres.sql('SELECT count(*) FROM "VERSION"', "shared") == "1"


def test_unusable_database_is_reported(stack: Stack) -> None:
    database = stack.database("locked")
    wrong = refusal(stack.metastore_on({**database, "METASTORE_DB_PASSWORD": "wrong"}, "wrong-password"))
    assert "GS923" in wrong
    assert database["METASTORE_DB_PASSWORD"] not in wrong
    (nobody,) = free_ports(1)
    away = {**database, "METASTORE_DB_PORT": str(nobody), "METASTORE_DB_WAIT": "1"}
    assert "GS923" in refusal(stack.metastore_on(away, "no-database"))
    assert "METASTORE_DB_PASSWORD" in refusal(
        stack.metastore_on({**database, "METASTORE_DB_PASSWORD": ""}, "no-password")
    )


def test_master_requires_a_recovery_folder(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    port, ui = free_ports(2)
    where = {"SPARK_MASTER_PORT": str(port), "SPARK_MASTER_WEBUI_PORT": str(ui)}
    recovery = str(tmp_path / "file" / "recovery")
    service = stack.service(
        "no-recovery", "spark/bin/master.sh", port, SPARK_MASTER_RECOVERY_DIR=recovery, **where
    )
    assert "GS924" in refusal(service)


@pytest.mark.parametrize(
    "settings",
    [
        {"THRIFT_USERS_FILE": "/nowhere/users"},
        {"THRIFT_TLS_KEYSTORE": "/nowhere/keys.p12"},
        {"THRIFT_TLS_KEYSTORE": "/dev/null", "THRIFT_TLS_PASSWORD_FILE": "/nowhere/password"},
    ],
)
def test_thrift_server_without_its_files_does_not_start(stack: Stack, settings: dict[str, str]) -> None:
    (port,) = free_ports(1)
    service = stack.service("no-files", "spark/bin/thrift.sh", port, THRIFT_PORT=str(port), **settings)
    assert "GS925" in refusal(service)


def test_jar_builds_are_reproducible(tmp_path: Path) -> None:
    try:
        build_services(tmp_path / "one.jar")
        build_services(tmp_path / "two.jar", TZ="Asia/Tokyo", LANG="tr_TR.UTF-8")
    except Missing as missing:
        pytest.skip(str(missing))
    assert (tmp_path / "one.jar").read_bytes() == (tmp_path / "two.jar").read_bytes()
