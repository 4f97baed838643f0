"""Local files: Hadoop creates and renames them without starting a process for each, and they are the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

OURS = "io.goldsmith.localfs"


class Hadoop:
    """Hadoop's two interfaces to the files of the session's JVM."""

    def __init__(self, spark: SparkSession) -> None:
        jvm: Any = spark._jvm
        self.gateway: Any = spark.sparkContext._gateway
        self.fs = jvm.org.apache.hadoop.fs
        self.conf = spark._jsc.hadoopConfiguration()  # type: ignore[union-attr]
        self.permission = self.fs.permission.FsPermission
        self.system = self.fs.FileSystem.get(jvm.java.net.URI("file:///"), self.conf)
        self.context = self.fs.FileContext.getFileContext(jvm.java.net.URI("file:///"), self.conf)

    def path(self, file: Path) -> Any:
        return self.fs.Path(f"file:{file}")

    def create(self, file: Path, content: bytes = b"x") -> Path:
        stream = self.system.create(self.path(file), True)
        stream.write(content)
        stream.close()
        return file

    def chmod(self, file: Path, mode: int) -> int:
        """Sets a mode, and returns what the file has then."""
        self.system.setPermission(self.path(file), self.permission(f"{mode:o}"))
        return file.stat().st_mode & 0o7777

    def rename(self, source: Path, to: Path) -> None:
        """Renames a file as Delta does, which refuses an existing one."""
        options = self.gateway.new_array(self.gateway.jvm.org.apache.hadoop.fs.Options.Rename, 0)
        self.context.rename(self.path(source), self.path(to), options)


@pytest.fixture(scope="module")
def hadoop(spark: SparkSession) -> Hadoop:
    return Hadoop(spark)


def test_sessions_on_a_disk_use_it(hadoop: Hadoop) -> None:
    assert hadoop.system.getClass().getName() == f"{OURS}.DirectLocalFileSystem"
    assert hadoop.context.getDefaultFileSystem().getClass().getName() == f"{OURS}.DirectLocalFs"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o777, 0o1777])
def test_permissions_are_those_asked_for(hadoop: Hadoop, tmp_path: Path, mode: int) -> None:
    assert hadoop.chmod(hadoop.create(tmp_path / "a file"), mode & 0o777) == mode & 0o777
    assert hadoop.chmod(tmp_path, mode) == mode


def test_folder_keeps_the_bit_by_which_files_inherit_its_group(hadoop: Hadoop, tmp_path: Path) -> None:
    tmp_path.chmod(0o2755)
    assert hadoop.chmod(tmp_path, 0o775) == 0o2775


def test_created_files_and_folders_follow_hadoops_mask(hadoop: Hadoop, tmp_path: Path) -> None:
    file = hadoop.create(tmp_path / "new" / "file")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    assert (file.parent / ".file.crc").exists()


def test_rename_moves_a_file_with_its_checksum_and_never_replaces_one(hadoop: Hadoop, tmp_path: Path) -> None:
    one, other = hadoop.create(tmp_path / "1", b"one"), hadoop.create(tmp_path / "2", b"two")
    hadoop.rename(one, tmp_path / "3")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".2.crc", ".3.crc", "2", "3"]
    with pytest.raises(Py4JJavaError, match="FileAlreadyExists"):
        hadoop.rename(tmp_path / "3", other)
    assert other.read_bytes() == b"two"
    with pytest.raises(Py4JJavaError, match="FileNotFound"):
        hadoop.rename(one, tmp_path / "4")


def test_linked_folder_is_read_and_written(hadoop: Hadoop, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    hadoop.rename(hadoop.create(tmp_path / "link" / "a"), tmp_path / "link" / "b")
    assert (tmp_path / "real" / "b").read_bytes() == b"x"
    (tmp_path / "link" / "c").symlink_to("b")
    status = hadoop.context.getFileLinkStatus(hadoop.path(tmp_path / "link" / "c"))
    assert status.getLen() == 1
