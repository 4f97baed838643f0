"""A real S3 store as a separate process, without root and Docker."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

MINIO = "github.com/minio/minio"
MINIO_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"


class NoStoreError(Exception):
    """No S3 store can be started. The message names the missing programs."""


@dataclass(frozen=True)
class ObjectStore:
    """A running store. endpoint: its URL."""

    endpoint: str
    access_key: str
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for clients of the store."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


@contextmanager
def running(folder: Path, cache: Path) -> Iterator[ObjectStore]:
    """Runs MinIO, or SeaweedFS without Go, with its data below `folder`. Raises NoStoreError.

    cache: the folder of the built program. The first build takes minutes.
    """
    minio = _minio(cache)
    weed = _weed() if minio is None else None
    ports = _free_ports(8)
    store = ObjectStore(f"http://127.0.0.1:{ports[0]}", "goldsmith", secrets.token_hex(16))
    environment = dict(os.environ)
    if minio is not None:
        command = [str(minio), "server", str(folder), "--address", f"127.0.0.1:{ports[0]}"]
        environment |= {
            "MINIO_ROOT_USER": store.access_key,
            "MINIO_ROOT_PASSWORD": store.secret_key,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
    elif weed is not None:
        command = _weed_command(weed, folder, ports)
        environment |= {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key}
    else:
        raise NoStoreError("Go could not build MinIO or is not at hand, and neither is SeaweedFS' `weed`")
    with ExitStack() as stack:
        log = stack.enter_context((folder.parent / f"{folder.name}.log").open("w"))
        process = stack.enter_context(
            subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        )
        stack.callback(_stop, process)
        _wait_until_up(store, process, Path(log.name))
        yield store


def _minio(cache: Path) -> Path | None:
    """The program, built if it is not cached; None if it cannot be built."""
    program = cache / "minio" / MINIO_VERSION / "minio"
    if program.is_file():
        return program
    go = shutil.which("go")
    if go is None:
        return None
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as work:
        built = subprocess.run(
            [go, "install", "-trimpath", "-ldflags", "-s -w", f"{MINIO}@{MINIO_VERSION}"],
            env={**os.environ, "GOBIN": work, "CGO_ENABLED": "0"},
            timeout=1800,
            check=False,
        )
        if built.returncode != 0:
            return None
        # Two runs may build it concurrently: a rename is atomic.
        (Path(work) / "minio").replace(program)
    return program


def _weed() -> Path | None:
    beside_python = Path(sys.executable).parent / "weed"
    found = beside_python if beside_python.is_file() else shutil.which("weed")
    return Path(found) if found else None


def _weed_command(weed: Path, folder: Path, ports: Sequence[int]) -> list[str]:
    # Each bucket uses several volumes: the default of eight suffices for one bucket.
    command = [
        *(str(weed), "server", "-s3", "-dir", str(folder), "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1"),
        *("-volume.max", "1000", "-master.volumeSizeLimitMB", "64", "-master.telemetry=false"),
        *("-s3.port.iceberg", "0", "-s3.port.lance", "0"),
    ]
    for number, part in enumerate(("s3", "master", "volume", "filer")):
        command += [f"-{part}.port", str(ports[number]), f"-{part}.port.grpc", str(ports[number + 4])]
    return command


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_up(
    store: ObjectStore, process: subprocess.Popen[bytes], log: Path, seconds: float = 60
) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if _responds(store.endpoint):
            return
        time.sleep(0.1)
    raise NoStoreError(f"the store did not come up: {log.read_text(errors='replace')[-2000:]}")


def _responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as refusal:
        # An S3 store refuses unsigned requests, which is a response.
        return refusal.code < 500
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
