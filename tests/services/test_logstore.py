"""The log store of `spark/logstore`: its build, and its own tests on a real S3 store."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from goldsmith.engine.launch.jars import fetch, spark_jars
from goldsmith.settings import Settings
from services.object_store import ObjectStore

LOGSTORE = Path(__file__).parents[2] / "spark" / "logstore"


@dataclass(frozen=True)
class Jars:
    """class_path: the log store's dependencies. junit: JUnit's jar."""

    class_path: str
    junit: Path


def _run(script: Path, *arguments: object, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [script, *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script.name} failed:\n{done.stdout[-20000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def jars() -> Jars:
    settings = Settings.from_environment()
    javac = settings.java_home / "bin" / "javac" if settings.java_home else shutil.which("javac")
    if javac is None or not Path(javac).is_file():
        pytest.skip("no JDK: there is a javac neither in JAVA_HOME nor on the PATH")
    needs = fetch(settings, ("delta", "s3"), print)
    pins = LOGSTORE / "test-jars.txt"
    folder = settings.cache / "logstore" / hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    _run(LOGSTORE / "fetch.sh", pins, folder, next(spark_jars().glob("ivy-*.jar")))
    class_path = ":".join([f"{spark_jars()}/*", *map(str, needs)])
    return Jars(class_path, next(folder.glob("junit-*.jar")))


@pytest.fixture(scope="session")
def logstore(jars: Jars, tmp_path_factory: pytest.TempPathFactory) -> Path:
    jar = tmp_path_factory.mktemp("logstore") / "goldsmith-logstore.jar"
    _run(LOGSTORE.parent / "build-jar.sh", LOGSTORE / "src", jars.class_path, jar)
    return jar


def test_builds_are_reproducible(jars: Jars, logstore: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(LOGSTORE / "src", tmp_path / "elsewhere")
    again = tmp_path / "again.jar"
    _run(
        LOGSTORE.parent / "build-jar.sh",
        elsewhere,
        jars.class_path,
        again,
        environment={"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8"},
    )
    assert again.read_bytes() == logstore.read_bytes()


def test_jar_contains_the_configured_class(logstore: Path) -> None:
    with ZipFile(logstore) as jar:
        names = jar.namelist()
    assert "io/goldsmith/logstore/ConditionalS3LogStore.class" in names
    assert names == sorted(names)
    assert all(name.startswith("io/goldsmith/logstore/") for name in names)


def test_commits_on_a_real_store(
    jars: Jars, logstore: Path, object_store: ObjectStore, full_counts: bool
) -> None:
    output = _run(
        LOGSTORE / "test.sh",
        logstore,
        jars.junit,
        jars.class_path,
        environment={
            "GOLDSMITH_TEST_S3_ENDPOINT": object_store.endpoint,
            "GOLDSMITH_TEST_S3_ACCESS_KEY": object_store.access_key,
            "GOLDSMITH_TEST_S3_SECRET_KEY": object_store.secret_key,
            "GOLDSMITH_TEST_ROUNDS": "2000" if full_counts else "200",
        },
    )
    assert " 0 tests failed" in output
    assert " 0 tests skipped" in output
