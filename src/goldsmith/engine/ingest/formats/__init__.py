"""File formats: how each finds the columns of its files, and reads their rows.

`goldsmith.project.formats` declares them. A new format is an entry there, a module here and its line below.
"""

from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.avro_files import AvroReader
from goldsmith.engine.ingest.formats.base import FormatReader
from goldsmith.engine.ingest.formats.csv_files import CsvReader
from goldsmith.engine.ingest.formats.debezium_files import DebeziumReader
from goldsmith.engine.ingest.formats.excel_files import ExcelReader
from goldsmith.engine.ingest.formats.fixed_width_files import FixedWidthReader
from goldsmith.engine.ingest.formats.json_files import JsonReader
from goldsmith.engine.ingest.formats.parquet_files import ParquetReader
from goldsmith.engine.ingest.formats.xml_files import XmlReader
from goldsmith.project.formats import FormatName

_READERS: dict[FormatName, FormatReader] = {
    "csv": CsvReader(),
    "json": JsonReader(),
    "debezium": DebeziumReader(),
    "parquet": ParquetReader(),
    "avro": AvroReader(),
    "excel": ExcelReader(),
    "fixed_width": FixedWidthReader(),
    "xml": XmlReader(),
}


def reader_of(declared: FilesTable) -> FormatReader:
    """The reader of a table's files."""
    return _READERS[declared.source.format]
