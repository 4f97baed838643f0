"""Where a test's lake lives: in a folder, or in a bucket."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from goldsmith.engine.s3 import Bucket


class Home(Protocol):
    """Landing files and tables of one lake."""

    @property
    def declared(self) -> str:
        """The profile, as goldsmith.yaml declares it."""
        ...

    def deliver(self, path: str, content: bytes) -> None:
        """Puts a landing file, whether one is there or not."""
        ...

    def remove(self, address: str, pattern: str = "") -> None:
        """Removes what lies below an address and begins with the pattern."""
        ...

    def sizes(self, address: str, ending: str) -> list[int]:
        """The sizes of the files right in a folder whose names end so."""
        ...


class DiskHome:
    """A project's own folder."""

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
    """A prefix in a bucket. place: `s3a://bucket/prefix`. The store is the environment's."""

    def __init__(self, place: str, conf_dir: Path) -> None:
        self.place = place
        self.bucket = Bucket.of(place)
        self.declared = (
            f"name: test\nprofiles:\n  local:\n    landing: {place}/landing\n    warehouse: {place}/warehouse\n"
            f"    spark: {{master: 'local[2]', conf_dir: {conf_dir}}}\n"
        )

    def _key(self, address: str) -> str:
        return address.removeprefix(f"s3a://{self.bucket.name}/")

    def deliver(self, path: str, content: bytes) -> None:
        self.bucket.put(f"{self._key(self.place)}/landing/{path}", content)

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
