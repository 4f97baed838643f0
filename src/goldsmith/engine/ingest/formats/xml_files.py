"""XML files: elements as rows, read in the driver."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.formats.base import FilesLoad
from goldsmith.engine.ingest.formats.driver_rows import DriverRow, driver_frame, stamped
from goldsmith.engine.ingest.formats.json_files import JsonReader
from goldsmith.engine.ingest.formats.text_start import opened
from goldsmith.engine.ingest.formats.xml_records import document, records
from goldsmith.engine.ingest.lines import LINE
from goldsmith.errors import SourceError, Where


class XmlReader(JsonReader):
    """Reads the elements at a place of each file as documents of their attributes and elements."""

    @override
    def documents(self, load: FilesLoad, files: Sequence[LoadedFile]) -> DataFrame:
        place = [name for name in load.declared.options.get("records", "").split(".") if name]
        kind = _declared(load)
        found: list[DriverRow] = []
        for file in files:
            where = Where(file=file.path, table=load.declared.name)
            if file.path.lower().endswith(".zst"):
                hint = "Deliver it uncompressed, or compressed as `.gz`, `.bz2` or `.zip`."
                raise SourceError("GS302", "XML compressed by zstd is not read.", where=where, hint=hint)
            with opened(load, file) as stream:
                for record in records(stream, place, where):
                    found.append(stamped(load, file, [document(record, kind)]))
        return driver_frame(load, [LINE], found)


def _declared(load: FilesLoad) -> StructType:
    """The declared columns, as far as they have types."""
    kind = StructType()
    for name, column in load.declared.spec.columns.items():
        if column.type:
            kind.add(name, DataType.fromDDL(column.type))
    return kind
