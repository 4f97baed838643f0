"""The reader of Delta logs, on logs that are written file by file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE, HistoryGone
from goldsmith.errors import StorageError


class LogWriter:
    """Writes the log of a table."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder)
        self._log = folder / "_delta_log"
        self._log.mkdir(parents=True)
        self.log = TableLog(self.path)

    def commit(self, version: int, *actions: dict[str, Any]) -> None:
        lines = [json.dumps(action) for action in ({"commitInfo": {"operation": "WRITE"}}, *actions)]
        self._file(version, "json", "\n".join(lines))

    def checksum(self, version: int, **fields: Any) -> None:
        self._file(version, "crc", json.dumps(fields))

    def remove(self, version: int, suffix: str = "json") -> None:
        self._named(version, suffix).unlink()

    def _file(self, version: int, suffix: str, text: str) -> None:
        self._named(version, suffix).write_text(text, encoding="utf-8")

    def _named(self, version: int, suffix: str) -> Path:
        return self._log / f"{version:020d}.{suffix}"


@pytest.fixture
def table(tmp_path: Path) -> LogWriter:
    return LogWriter(tmp_path / "t")


def metadata(id_: str, *columns: tuple[str, Any], **configuration: str) -> dict[str, Any]:
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in columns]
    schema = {"type": "struct", "fields": fields}
    return {"id": id_, "schemaString": json.dumps(schema), "configuration": configuration}


def protocol(*features: str) -> dict[str, Any]:
    return {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "writerFeatures": list(features)}}


def test_folder_without_log_is_no_table(tmp_path: Path) -> None:
    log = TableLog(str(tmp_path / "none"))
    assert log.version() == NO_TABLE
    assert not log.state().exists


def test_other_files_in_the_folder_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StorageError) as raised:
        TableLog(str(tmp_path)).state()
    assert raised.value.code == "GS401"
    assert "notes.txt" in raised.value.message


def test_file_at_the_path_of_the_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("mine")
    with pytest.raises(StorageError) as raised:
        TableLog(str(tmp_path / "t")).state()
    assert raised.value.code == "GS401"


def test_data_files_of_a_killed_first_write_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "part-00000.snappy.parquet").write_bytes(b"")
    assert not TableLog(str(tmp_path)).state().exists


def test_newest_metadata_before_a_version_is_found_without_checksums(table: LogWriter) -> None:
    table.commit(0, protocol(), {"metaData": metadata("one", ("id", "long"))})
    table.commit(1)
    table.commit(2, {"metaData": metadata("one", ("id", "long"), ("v", "decimal(9,2)"))})
    table.commit(3)
    assert table.log.identity() == ("one", 3)
    assert table.log.types() == {"id": "bigint", "v": "decimal(9,2)"}
    assert table.log.types(1) == {"id": "bigint"}
    assert table.log.size() is None


def test_checksum_answers_where_older_commits_are_removed(table: LogWriter) -> None:
    table.commit(7)
    table.checksum(7, metadata=metadata("one", ("id", "long"), key="value"), protocol={}, tableSizeBytes=12)
    assert table.log.identity() == ("one", 7)
    assert (table.log.size(), table.log.table_property("key")) == (12, "value")
    with pytest.raises(HistoryGone):
        table.log.types(6)


def test_log_without_its_first_commits_and_without_a_checkpoint_is_an_error(table: LogWriter) -> None:
    table.commit(7)
    with pytest.raises(StorageError) as raised:
        table.log.identity()
    assert raised.value.code == "GS409"
    assert "version 7" in raised.value.message
    assert table.path in raised.value.message


def test_half_written_checksum_is_ignored(table: LogWriter) -> None:
    table.commit(0, protocol(), {"metaData": metadata("one", ("id", "long"))})
    table._file(0, "crc", '{"tableSizeBytes":')
    assert table.log.identity() == ("one", 0)


def test_each_look_reads_the_newest_version(table: LogWriter) -> None:
    table.commit(0, protocol(), {"metaData": metadata("one", ("id", "long"))})
    assert table.log.version() == 0
    table.commit(1, {"metaData": metadata("one", ("id", "long"), ("late", "string"))})
    assert table.log.version() == 1
    assert table.log.types() == {"id": "bigint", "late": "string"}


def test_table_that_was_made_again_has_its_own_commits(table: LogWriter) -> None:
    table.commit(0, protocol(), {"metaData": metadata("one", ("id", "long"))})
    table.commit(1)
    assert table.log.identity() == ("one", 1)
    table.remove(0)
    table.remove(1)
    table.commit(0, protocol(), {"metaData": metadata("two", ("id", "string"))})
    assert table.log.identity() == ("two", 0)
    assert table.log.types() == {"id": "string"}


def test_temporary_and_compacted_files_are_no_versions(table: LogWriter) -> None:
    table.commit(0, protocol(), {"metaData": metadata("one", ("id", "long"))})
    for name in (".00000000000000000001.json.tmp", f"{0:020d}.{4:020d}.compacted.json", "_last_checkpoint"):
        (Path(table.path) / "_delta_log" / name).write_text("{}")
    assert table.log.version() == 0


def test_commits_kept_by_a_catalog_are_refused(table: LogWriter) -> None:
    table.commit(0, protocol("catalogManaged"), {"metaData": metadata("one", ("id", "long"))})
    with pytest.raises(StorageError) as raised:
        table.log.state()
    assert raised.value.code == "GS408"
    assert raised.value.where is not None
    assert raised.value.where.file == table.path


def test_features_are_those_of_the_newest_protocol(table: LogWriter) -> None:
    table.commit(0, protocol("appendOnly"), {"metaData": metadata("one", ("id", "long"))})
    table.commit(1, protocol("appendOnly", "timestampNtz"))
    assert table.log.features() == {"appendOnly", "timestampNtz"}
