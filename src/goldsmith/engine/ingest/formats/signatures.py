"""The formats that bytes are recognized as by their first ones, for messages about text files that have another format."""

from __future__ import annotations

import re

AT_LEAST = 512
"""The number of bytes that suffices to recognize a format."""

_ZIP = re.compile(rb"PK\x03\x04.{22}(?P<length>..)..(?P<name>.*)", re.DOTALL)
_WORKBOOK = re.compile(rb"\[Content_Types\]\.xml|_rels/|docProps/|xl/")
_MEMBERS = (
    "Deliver its members as files of their own. They may be compressed: `.gz`, `.zst`, `.bz2` or `.zip`."
)
_COMPRESS = "Deliver it uncompressed, or compressed as `.gz`, `.zst`, `.bz2` or `.zip`."
_ZIPPED = (
    "With one file in it, deliver it under a name that ends in `.zip`. Deliver several as files of their own."
)
_UTF_8 = "Deliver it in UTF-8."
_SIGNATURES = tuple(
    (re.compile(pattern, re.DOTALL), name, hint)
    for pattern, name, hint in (
        (rb"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as CSV and deliver that file."),
        (rb"\x1f\x8b", "compressed by gzip", "Deliver it under a name that ends in `.gz`."),
        (rb"\x28\xb5\x2f\xfd", "compressed by zstd", "Deliver it under a name that ends in `.zst`."),
        (rb"BZh[1-9]1AY&SY", "compressed by bzip2", "Deliver it under a name that ends in `.bz2`."),
        (rb"\xfd7zXZ\x00", "compressed by xz", _COMPRESS),
        (rb"\x04\x22\x4d\x18", "compressed by lz4", _COMPRESS),
        (rb"\xff\x06\x00\x00sNaPpY", "compressed by Snappy", _COMPRESS),
        (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _MEMBERS),
        (rb"Rar!\x1a\x07", "a RAR archive", _MEMBERS),
        (rb".{257}ustar[\x00 ]", "a tar archive", _MEMBERS),
        (rb"\xff\xfe|\xfe\xff", "text in UTF-16", _UTF_8),
        (rb"PAR1\x15", "a Parquet file", "Declare `format: parquet`."),
        (rb"Obj\x01", "an Avro file", "Declare `format: avro`."),
    )
)


def recognized(start: bytes) -> tuple[str, str] | None:
    """What a file is according to its first bytes, and what to do; None if they may be text."""
    if zipped := _ZIP.match(start):
        name = zipped["name"][: int.from_bytes(zipped["length"], "little")]
        if _WORKBOOK.match(name):
            hint = "Declare `format: excel`, or save the sheet as CSV and deliver that file."
            return "an Excel workbook", hint
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        return "a ZIP archive", _ZIPPED
    return next(((name, hint) for pattern, name, hint in _SIGNATURES if pattern.match(start)), None)
