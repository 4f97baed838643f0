"""Avro files: their schema, and their records as Spark's internal values."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from pyspark.sql.types import StructType

from goldsmith.engine.ingest.avro_schema import AvroSchemaError, Kind, kind_of
from goldsmith.errors import NotReady

_SYNC = 16
_CHECKSUM = 4


class AvroError(ValueError):
    """A file that is not Avro, that is damaged, or whose codec or schema is not read."""


def avro_schema(stream: BinaryIO) -> StructType:
    """The columns of a file, from its first bytes. Raises AvroError, and NotReady GS903 without fastavro."""
    spark = _header(stream)[1].spark
    assert isinstance(spark, StructType)
    return spark


def avro_records(content: bytes) -> Iterator[tuple[Any, ...]]:
    """The records of a file as values for the types of `avro_schema`. Raises AvroError."""
    from fastavro import parse_schema, schemaless_reader

    stream = io.BytesIO(content)
    codec, kind = _header(stream)
    sync = content[stream.tell() - _SYNC : stream.tell()]
    plain, value = parse_schema(kind.plain), kind.value
    assert value is not None
    try:
        for count, data in _blocks(stream, sync):
            block = io.BytesIO(_CODECS[codec](data))
            for _ in range(count):
                record = schemaless_reader(
                    block, plain, None, return_named_type=True, handle_unicode_errors="replace"
                )
                yield value(record)
            _check_end(block)
    except AvroError:
        raise
    except (ValueError, LookupError, ArithmeticError, EOFError, OSError, TypeError, MemoryError) as error:
        raise AvroError(f"A file is damaged: {_shown(error)}") from error


def _blocks(stream: io.BytesIO, sync: bytes) -> Iterator[tuple[int, bytes]]:
    """The number of records of each block, and its compressed bytes."""
    total = len(stream.getbuffer())
    while stream.tell() < total:
        count, size = _number(stream), _number(stream)
        data = stream.read(size) if 0 <= size <= total else b""
        if count < 0 or len(data) != size or stream.read(_SYNC) != sync:
            raise AvroError("A file is truncated or damaged: a block does not end with its marker")
        yield count, data


def _check_end(block: io.BytesIO) -> None:
    if block.read(1):
        raise AvroError("A file is damaged: a block has more bytes than records")


def _header(stream: BinaryIO) -> tuple[str, Kind]:
    """The codec and the type of a file's records. The stream is behind the header then."""
    try:
        from fastavro import block_reader
        from fastavro.schema import SchemaParseException
    except ModuleNotFoundError:
        raise NotReady(
            "GS903",
            "Avro files need fastavro, which is not installed.",
            hint="Install Goldsmith with the extra `avro`.",
        ) from None
    try:
        header = block_reader(stream)
        codec, schema = header.metadata.get("avro.codec", "null"), header.writer_schema
    except (SchemaParseException, ValueError, LookupError, EOFError, TypeError, MemoryError) as error:
        raise AvroError(f"A file is not Avro, or its header is damaged: {_shown(error)}") from error
    if codec not in _CODECS:
        raise AvroError(f"A file has the codec `{codec}`, which is not read: {', '.join(_CODECS)} are")
    try:
        kind = kind_of(schema)
    except AvroSchemaError as error:
        raise AvroError(f"A file has a schema that no table has: {error}") from error
    if not isinstance(kind.spark, StructType) or not isinstance(schema, dict):
        raise AvroError("A file has a schema that is not a record")
    if not kind.spark.fields:
        raise AvroError("A file has a schema without fields")
    return codec, kind


def _number(stream: BinaryIO) -> int:
    """A number of Avro: seven bits a byte, the lowest first, the sign as the lowest bit."""
    found = shift = 0
    while shift < 64:  # noqa: PLR2004
        byte = stream.read(1)
        if not byte:
            raise AvroError("A file is truncated")
        found |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004
            return (found >> 1) ^ -(found & 1)
        shift += 7
    raise AvroError("A file is damaged: a number is too long")


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj(-15)
    try:
        found = stream.decompress(data)
    except zlib.error as error:
        raise AvroError(f"A file is damaged: {error}") from error
    # Some writers leave the end of a zlib stream behind the data.
    if not stream.eof:
        raise AvroError("A file is damaged: a block does not end with its compressed data")
    return found


def _lzma(data: bytes) -> bytes:
    try:
        return lzma.decompress(data)
    except lzma.LZMAError as error:
        raise AvroError(f"A file is damaged: {error}") from error


def _snappy(data: bytes) -> bytes:
    import cramjam

    try:
        found = bytes(cramjam.snappy.decompress_raw(data[:-_CHECKSUM]))
    except cramjam.DecompressionError as error:
        raise AvroError(f"A file is damaged: {error}") from error
    if zlib.crc32(found).to_bytes(_CHECKSUM, "big") != data[-_CHECKSUM:]:
        raise AvroError("A file is damaged: a block does not have its checksum")
    return found


def _zstd(data: bytes) -> bytes:
    import cramjam

    try:
        return bytes(cramjam.zstd.decompress(data))
    except cramjam.DecompressionError as error:
        raise AvroError(f"A file is damaged: {error}") from error


_CODECS: Mapping[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _inflated,
    "snappy": _snappy,
    "zstandard": _zstd,
    "bzip2": bz2.decompress,
    "xz": _lzma,
}
