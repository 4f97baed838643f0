"""ZIP files with one file in them, as macOS and Windows create them to compress a file."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any, BinaryIO, cast

from typing_extensions import override

_ENCRYPTED, _SIZED_AFTER = 1, 8
_NAMED = 3


class ZipError(OSError):
    """A file that is not a ZIP file, is damaged, or is not read because of its members. Its text says why."""


def only_member(zipped: BinaryIO) -> io.BufferedReader:
    """A stream of the only file in a ZIP file, which also closes `zipped`.

    Folders and what macOS adds to its ZIP files do not count. zipped: can seek. Raises ZipError, also while the stream
    is read.
    """
    try:
        archive = zipfile.ZipFile(zipped)
        member = cast(io.BufferedIOBase, archive.open(_checked(archive)))
    except ZipError:
        zipped.close()
        raise
    # Newer versions of the format, and names that are not valid, have errors of other classes.
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        zipped.close()
        raise ZipError(str(error)) from None
    return io.BufferedReader(_Member(zipped, member), 1 << 16)


class _Member(io.RawIOBase):
    """A member of a ZIP file, whose damage is a ZipError."""

    def __init__(self, zipped: BinaryIO, stream: io.BufferedIOBase) -> None:
        super().__init__()
        self._zipped, self._stream = zipped, stream

    @override
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._stream.readinto(buffer)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise ZipError(str(error)) from None
        except EOFError:
            raise ZipError("it ends before its member does") from None

    @override
    def close(self) -> None:
        self._stream.close()
        self._zipped.close()
        super().close()


def _checked(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The only file of an archive, if Java and Python can read it."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if not members:
        raise ZipError("the ZIP file is empty")
    if len(members) > 1:
        named = ", ".join(member.filename for member in members[:_NAMED])
        more = f" and {len(members) - _NAMED} more" if len(members) > _NAMED else ""
        raise ZipError(f"the ZIP file has {len(members)} files ({named}{more}), and only one can be read")
    if members[0].flag_bits & _ENCRYPTED:
        raise ZipError("the ZIP file is encrypted")
    method = members[0].compress_type
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ZipError("the ZIP file is compressed by another method than deflate")
    # Spark reads it from its start, and would not find the end.
    if method == zipfile.ZIP_STORED and members[0].flag_bits & _SIZED_AFTER:
        raise ZipError("the ZIP file has no size before its uncompressed file")
    return members[0]
