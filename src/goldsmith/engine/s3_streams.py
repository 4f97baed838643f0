"""Streams of the bytes of objects on S3."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from typing import Any


class ObjectParts(io.RawIOBase):
    """An object as a stream that can seek: each read is a request.

    requested: the bytes of a part, as HTTP spells it: `0-99`. size: of the object.
    """

    def __init__(self, requested: Callable[[str], bytes], size: int) -> None:
        super().__init__()
        self._requested, self._size = requested, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if self._at >= end:
            return 0
        part = self._requested(f"{self._at}-{end - 1}")
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class Body(io.RawIOBase):
    """A stream of an object's bytes. A broken connection raises OSError."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        from botocore.exceptions import BotoCoreError

        try:
            part: bytes = self._stream.read(len(buffer))
        except BotoCoreError as error:
            raise OSError(errno.EIO, str(error)) from error
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._stream.close()
        super().close()
