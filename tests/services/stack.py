"""The cluster as processes of this machine: metastore, Spark master, workers and Thrift Server.

Each runs from the start script and the settings of the images, on free ports of the loopback. A service starts when a
test first uses it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import pytest

from goldsmith.engine.launch.compiled_jars import FILES, LOG_STORE, build
from goldsmith.engine.launch.jars import GROUPS, fetch, installed
from goldsmith.errors import NotReady
from goldsmith.settings import Settings
from services import postgres
from services.postgres import Postgres
from services.processes import Missing, Service, free_ports

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "spark" / "services"


def spark_home() -> Path:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def jars() -> tuple[Path, ...]:
    """The cluster's jars in addition to Spark's own. Raises Missing."""
    settings = Settings.from_environment()
    try:
        fetch(settings, GROUPS, lambda _line: None)
        return (
            *installed(settings, *GROUPS),
            *(build(jar, settings, lambda _line: None) for jar in (LOG_STORE, FILES)),
            _services_jar(settings),
        )
    except NotReady as error:
        raise Missing(f"{error} {error.hint or ''}") from None


def _services_jar(settings: Settings) -> Path:
    digest = hashlib.sha256()
    for source in sorted(SERVICES.rglob("*.java")):
        digest.update(source.read_bytes())
    jar = settings.cache / "services" / digest.hexdigest()[:12] / "goldsmith-services.jar"
    if not jar.is_file():
        build_services(jar)
    return jar


def build_services(jar: Path, **environment: str) -> None:
    """Compiles spark/services into a jar. Raises Missing."""
    class_path = [f"{spark_home() / 'jars'}/*", *map(str, installed(Settings.from_environment(), "delta"))]
    done = subprocess.run(
        [SERVICES.parent / "build-jar.sh", SERVICES / "src", os.pathsep.join(class_path), jar],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Missing(f"the services' jar: {done.stderr[-2000:]}")


class Stack:
    """The services below a folder. s3: environment variables of an object store, if there is one."""

    def __init__(self, folder: Path, s3: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.s3 = dict(s3 or {})
        self._closing = ExitStack()
        self._started: list[Service] = []

    @classmethod
    @contextmanager
    def started(cls, folder: Path, *parts: str, s3: Mapping[str, str] | None = None) -> Iterator[Self]:
        """A stack whose named parts run: `workers`, `metastore`, ... Skips the test if one of them is missing."""
        with closing(cls(folder, s3)) as stack:
            try:
                for part in parts:
                    getattr(stack, part)
            except Missing as missing:
                pytest.skip(str(missing))
            yield stack

    def close(self) -> None:
        self._closing.close()

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of every process of the cluster."""
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "PYSPARK_"))
        }
        return {**inherited, **self.spark, **self.s3, **more}

    @property
    def spark(self) -> dict[str, str]:
        """Paths of Spark and its jars, as in the image."""
        return {
            "SPARK_HOME": str(spark_home()),
            "SPARK_DIST_CLASSPATH": os.pathsep.join(map(str, self.jars)),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }

    @cached_property
    def jars(self) -> tuple[Path, ...]:
        return jars()

    def client_environment(self) -> dict[str, str]:
        """The environment of a driver: addresses of the catalog and the master, if they run."""
        names = {service.name: service for service in self._started}
        variables = dict(self.s3)
        if "metastore" in names:
            variables["HIVE_METASTORE_URIS"] = f"thrift://127.0.0.1:{names['metastore'].port}"
        if "master" in names:
            variables["SPARK_MASTER_URL"] = f"spark://127.0.0.1:{names['master'].port}"
        return variables

    def service(self, name: str, script: str, port: int, **environment: str) -> Service:
        """A service, not started. script: its path relative to the repository."""
        return Service(
            name, [ROOT / script], self.environment(**environment), self.folder / f"{name}.log", port
        )

    def start(self, service: Service) -> Service:
        """Starts a service. It is stopped with the stack."""
        service.start()
        self._closing.callback(service.stop)
        service.wait()
        self._started.append(service)
        return service

    @cached_property
    def postgres(self) -> Postgres:
        return self._closing.enter_context(postgres.running(self.folder / "postgres.log"))

    def database(self, name: str) -> dict[str, str]:
        """Creates a database with its own user, and returns the metastore's variables for it."""
        password = secrets.token_hex(16)
        self.postgres.sql(f"CREATE USER {name} PASSWORD '{password}'")
        self.postgres.sql(f"CREATE DATABASE {name} OWNER {name}")
        return {
            "METASTORE_DB_HOST": "127.0.0.1",
            "METASTORE_DB_PORT": str(self.postgres.port),
            "METASTORE_DB_NAME": name,
            "METASTORE_DB_USER": name,
            "METASTORE_DB_PASSWORD": password,
        }

    def metastore_on(self, database: Mapping[str, str], name: str = "metastore") -> Service:
        """A metastore, not started."""
        (port,) = free_ports(1)
        where = {
            "METASTORE_PORT": str(port),
            "METASTORE_WAREHOUSE": f"file:{self.folder}/metastore-warehouse",
        }
        return self.service(name, "hive/metastore.sh", port, **where, **database)

    @cached_property
    def metastore(self) -> Service:
        return self.start(self.metastore_on(self.database("metastore")))

    @cached_property
    def master(self) -> Service:
        port, ui = free_ports(2)
        return self.start(
            self.service(
                "master",
                "spark/bin/master.sh",
                port,
                SPARK_MASTER_PORT=str(port),
                SPARK_MASTER_WEBUI_PORT=str(ui),
                SPARK_MASTER_RECOVERY_DIR=str(self.folder / "recovery"),
            )
        )

    @cached_property
    def workers(self) -> tuple[Service, ...]:
        """Two workers with one core each."""
        url = f"spark://127.0.0.1:{self.master.port}"
        found = []
        for number in (1, 2):
            (ui,) = free_ports(1)
            found.append(
                self.service(
                    f"worker{number}",
                    "spark/bin/worker.sh",
                    ui,
                    SPARK_MASTER_URL=url,
                    SPARK_WORKER_WEBUI_PORT=str(ui),
                    SPARK_WORKER_DIR=str(self.folder / f"work{number}"),
                )
            )
        return tuple(self.start(worker) for worker in found)

    def thrift_with(self, name: str = "thrift", **settings: str) -> Service:
        """A Thrift Server on the metastore, not started. Its queries run in its own process."""
        (port,) = free_ports(1)
        variables = {
            "THRIFT_PORT": str(port),
            "THRIFT_MEMORY": "700m",
            "SPARK_MASTER_URL": "local[2]",
            "HIVE_METASTORE_URIS": f"thrift://127.0.0.1:{self.metastore.port}",
        }
        return self.service(name, "spark/bin/thrift.sh", port, **{**variables, **settings})

    @cached_property
    def thrift(self) -> Service:
        return self.start(self.thrift_with())
