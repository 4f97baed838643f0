"""When a driver loads its classes from an archive, and when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.engine.launch.archive import archive_of, archive_options
from goldsmith.engine.launch.driver import java_options
from goldsmith.engine.launch.submission import _has_no_master
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    return Settings.from_environment({"GOLDSMITH_CACHE": str(tmp_path)})


def archived(settings: Settings) -> Path:
    path = archive_of(settings)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    return path


def test_missing_archive_adds_no_options(settings: Settings) -> None:
    assert archive_options(ProfileSpec(), settings) == ()


def test_archive_is_used_without_log_messages(settings: Settings) -> None:
    path = archived(settings)
    expected = (
        f"-XX:SharedArchiveFile={path}",
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:ArchiveRelocationMode=0",
        "-Xlog:cds=off",
        "-Xlog:cds+dynamic=off",
    )
    assert archive_options(ProfileSpec(), settings) == expected
    assert set(expected) < set(java_options(ProfileSpec(), settings))


@pytest.mark.parametrize(
    "profile",
    [
        ProfileSpec(spark=SparkSpec(conf_dir="conf")),
        ProfileSpec(warehouse="s3a://lake/warehouse"),
    ],
    ids=["a conf_dir", "S3"],
)
def test_other_class_path_uses_no_archive(settings: Settings, profile: ProfileSpec) -> None:
    archived(settings)
    assert archive_options(profile, settings) == ()


def test_each_jdk_has_its_own_archive(settings: Settings, tmp_path: Path) -> None:
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text("")
    (home / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="21.0.4"\n')
    other = Settings.from_environment({"GOLDSMITH_CACHE": str(settings.cache), "JAVA_HOME": str(home)})
    assert archive_of(other) != archive_of(settings)


@pytest.mark.parametrize(
    ("command", "master", "variable", "expected"),
    [
        ("org.apache.spark.deploy.SparkSubmit jobs/run.py", "local[*]", None, True),
        ("org.apache.spark.deploy.SparkSubmit jobs/run.py", None, None, True),
        ("org.apache.spark.deploy.SparkSubmit --master local[*] jobs/run.py", "local[*]", None, False),
        ("org.apache.spark.deploy.SparkSubmit --conf spark.master=local[*] run.py", "local[*]", None, False),
        ("org.apache.spark.deploy.SparkSubmit jobs/run.py", "local[*]", "local[*]", False),
        ("org.apache.spark.deploy.SparkSubmit jobs/run.py", "spark://m:7077", None, False),
    ],
)
def test_profile_sets_the_master_if_the_call_has_none(
    command: str, master: str | None, variable: str | None, expected: bool
) -> None:
    assert _has_no_master(command, variable, master) is expected
