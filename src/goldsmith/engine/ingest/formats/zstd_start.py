"""The first bytes of files compressed by zstd, which Python cannot decompress before 3.14: Spark's library does."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

_MOST = 1 << 20


def zstd_start(spark: SparkSession, stream: BinaryIO) -> BinaryIO:
    """The first MiB of a file, decompressed. Raises EOFError if it cannot be decompressed, or ends before."""
    packed = stream.read(_MOST)
    jvm: Any = spark._jvm
    source = jvm.com.github.luben.zstd.ZstdInputStreamNoFinalizer(jvm.java.io.ByteArrayInputStream(packed))
    # Otherwise the part that was not passed on would be an error.
    source.setContinuous(len(packed) == _MOST)
    try:
        start = source.readNBytes(_MOST)
    except Py4JJavaError as error:
        raise EOFError(str(error.java_exception.getMessage())) from None
    finally:
        source.close()
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, io.BytesIO(start))))
