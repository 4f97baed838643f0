"""Profiles: environment variables, paths, and settings of a session."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from goldsmith.engine.launch.compiled_jars import log_store_jar
from goldsmith.engine.launch.jars import groups_of, installed, pinned
from goldsmith.engine.launch.master import driver_host, runs_here
from goldsmith.engine.launch.session import defaults
from goldsmith.errors import DeclarationError, NotReady
from goldsmith.project.connections import ConnectionSpec
from goldsmith.project.loading import load_project
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.project.profiles import resolved, resolved_connection
from goldsmith.run.context import Run
from goldsmith.settings import Settings

ROOT = Path("/srv/lake")


def profile(**keys: str) -> ProfileSpec:
    spark = {key: keys.pop(key) for key in ("master", "conf_dir") if key in keys}
    return ProfileSpec.model_validate({**keys, "spark": spark})


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("jdbc:sqlite:data/${NAME}.db", "jdbc:sqlite:/srv/lake/data/shop.db"),
        ("jdbc:sqlite:/data/shop.db", "jdbc:sqlite:/data/shop.db"),
        ("jdbc:sqlite:", "jdbc:sqlite:"),
        ("jdbc:sqlite::memory:", "jdbc:sqlite::memory:"),
        ("jdbc:sqlite:file:shop.db?mode=ro", "jdbc:sqlite:file:shop.db?mode=ro"),
        ("jdbc:postgresql:shop", "jdbc:postgresql:shop"),
    ],
)
def test_file_of_a_sqlite_database_is_relative_to_the_project(declared: str, expected: str) -> None:
    connections = {"shop": ConnectionSpec(url=declared)}
    found = resolved_connection(ProfileSpec(connections=connections), "shop", ROOT, {"NAME": "shop"})
    assert found.url == expected


def test_environment_variables_are_replaced() -> None:
    given = profile(
        warehouse="s3a://${BUCKET}/${PREFIX:-lake}/w", master="${MASTER:-local[2]}", conf_dir="conf"
    )
    found = resolved(given, "p", ROOT, {"BUCKET": "mine", "MASTER": ""})
    assert found.warehouse == "s3a://mine/lake/w"
    assert found.landing == "/srv/lake/.goldsmith/landing"
    assert (found.spark.master, found.spark.conf_dir) == ("local[2]", "/srv/lake/conf")


def test_environment_variables_in_spark_settings_are_replaced() -> None:
    given = ProfileSpec(spark=SparkSpec(conf={"spark.cores.max": "${CORES:-2}", "spark.ui.enabled": True}))
    assert resolved(given, "p", ROOT, {"CORES": "4"}).spark.conf == {
        "spark.cores.max": "4",
        "spark.ui.enabled": True,
    }


def test_missing_variable_is_named() -> None:
    with pytest.raises(NotReady) as caught:
        resolved(profile(landing="s3a://${BUCKET}/in"), "cluster", ROOT, {})
    assert caught.value.code == "GS904"
    assert "BUCKET" in caught.value.message
    assert "${BUCKET:-" in str(caught.value.hint)


def test_missing_password_is_not_given_a_default() -> None:
    """A default in the file would be refused."""
    shop = ConnectionSpec.model_validate(
        {"url": "jdbc:postgresql://db/shop", "user": "reader", "password": "${SHOP_PASSWORD}"}
    )
    with pytest.raises(NotReady) as caught:
        resolved_connection(ProfileSpec(connections={"shop": shop}), "shop", ROOT, {})
    assert "SHOP_PASSWORD" in caught.value.message
    assert ":-" not in str(caught.value.hint)


@pytest.mark.parametrize(
    ("location", "hint"),
    [
        ("s3://lake/in", "`landing: s3a://lake/in`"),
        ("gs://lake/in", "s3a://bucket"),
        ("s3a:///in", "s3a://bucket"),
    ],
)
def test_unsupported_locations_are_refused(location: str, hint: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        resolved(profile(landing=location), "p", ROOT, {})
    assert caught.value.code == "GS110"
    assert hint in str(caught.value.hint)


def test_warehouse_path_with_a_backtick_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "a`b"
    (root / "pipelines").mkdir(parents=True)
    (root / "goldsmith.yaml").write_text("name: t\n")
    with pytest.raises(DeclarationError) as caught:
        Run.begin(load_project(root))
    assert caught.value.code == "GS110"
    assert "backtick" in caught.value.message


def test_only_profiles_on_s3_use_its_jars() -> None:
    assert groups_of(profile()) == ("delta",)
    assert groups_of(profile(warehouse="s3a://lake/w")) == ("delta", "s3")
    assert len(pinned("delta")) == 2
    assert {jar.artifact for jar in pinned("s3")} >= {"hadoop-aws", "s3", "sdk-core"}
    assert [jar.artifact for jar in pinned("postgresql")] == ["postgresql"]


def test_missing_jars_of_s3_are_reported_before_the_session_starts(tmp_path: Path) -> None:
    empty = Settings.from_environment({"GOLDSMITH_CACHE": str(tmp_path)})
    for look in (lambda: installed(empty, "delta", "s3"), lambda: log_store_jar(empty)):
        with pytest.raises(NotReady) as caught:
            look()
        assert caught.value.code == "GS902"
        assert "goldsmith spark install --profile" in str(caught.value.hint)


def test_shared_settings_have_sparks_format() -> None:
    found = defaults()
    assert found["spark.delta.logStore.s3a.impl"] == "io.goldsmith.logstore.ConditionalS3LogStore"
    assert all(key.startswith("spark.") and value for key, value in found.items())
    linked = Path(__file__).parents[2] / "spark" / "conf" / "spark-defaults.conf"
    assert not linked.readlink().is_absolute()
    assert linked.is_file()


def test_driver_uses_the_address_that_reaches_the_master() -> None:
    assert (driver_host("local[*]"), driver_host("yarn")) == ("127.0.0.1", None)
    assert [runs_here(m) for m in ("local", "local[2]", "local-cluster[1,1,512]", "spark://a:1")] == [
        True,
        True,
        False,
        False,
    ]
    with closing(socket.create_server(("127.0.0.1", 0))) as master, closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        absent, present = other.getsockname()[1], master.getsockname()[1]
        assert driver_host(f"spark://127.0.0.1:{absent},127.0.0.1:{present}") == "127.0.0.1"
        with pytest.raises(NotReady) as caught:
            driver_host(f"spark://127.0.0.1:{absent}")
    assert (caught.value.code, caught.value.retryable) == ("GS905", True)
