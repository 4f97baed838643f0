"""The storage of a test's lake: a folder or a bucket."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from goldsmith.engine.s3 import Bucket


class Home(Protocol):
    """Storage of one lake's landing files and tables."""

    @property
    def declared(self) -> str:
        """The content of goldsmith.yaml, with the profile."""
        ...

    def deliver(self, path: str, content: bytes) -> None:
        """Writes a landing file, replacing an existing one."""
        ...

    def remove(self, address: str, pattern: str = "") -> None:
        """Removes the files below an address whose names begin with the pattern."""
        ...

    def sizes(self, address: str, ending: str) -> list[int]:
        """The sizes of a folder's own files with this ending."""
        ...


class DiskHome:
    """The project's folder."""

    declared = "name: test"

    def __init__(self, root: Path) -> None:
        self.landing = root / ".goldsmith/landing"
        self.landing.mkdir(parents=True)

    def deliver(self, path: str, content: bytes) -> None:
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def remove(self, address: str, pattern: str = "") -> None:
        if not pattern:
            shutil.rmtree(address)
        for file in Path(address).glob(f"{pattern}*") if pattern else ():
            file.unlink()

    def sizes(self, address: str, ending: str) -> list[int]:
        return [file.stat().st_size for file in Path(address).glob(f"*{ending}")]


class S3Home:
    """A prefix in a bucket of the environment's store. url: `s3a://bucket/prefix`."""

    def __init__(self, url: str, conf_dir: Path) -> None:
        self.url = url
        self.bucket = Bucket.of(url)
        self.declared = (
            f"name: test\nprofiles:\n  local:\n    landing: {url}/landing\n    warehouse: {url}/warehouse\n"
            f"    spark: {{master: 'local[2]', conf_dir: {conf_dir}}}\n"
        )

    def _key(self, address: str) -> str:
        return address.removeprefix(f"s3a://{self.bucket.name}/")

    def deliver(self, path: str, content: bytes) -> None:
        self.bucket.put(f"{self._key(self.url)}/landing/{path}", content)

    def remove(self, address: str, pattern: str = "") -> None:
        for item in self.bucket.listed(f"{self._key(address)}/{pattern}"):
            self.bucket.client.delete_object(Bucket=self.bucket.name, Key=item["Key"])

    def sizes(self, address: str, ending: str) -> list[int]:
        prefix = f"{self._key(address)}/"
        return [
            item["Size"]
            for item in self.bucket.listed(prefix)
            if item["Key"].endswith(ending) and "/" not in item["Key"].removeprefix(prefix)
        ]
