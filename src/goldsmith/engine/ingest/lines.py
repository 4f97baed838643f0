"""Splits delivered text files into lines and records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession, Window, WindowSpec
from pyspark.sql import functions as F

from goldsmith.engine.ingest.parsing import BLANKS, PLAIN_ENCODINGS, UTF_8, CsvPatterns, Options, flag
from goldsmith.engine.unreadable import ZIP_CODEC
from goldsmith.project.formats import ZIP
from goldsmith.project.sql.literals import literal

LINE = "_gs_line"
FILE = ("_gs_path", "_gs_modified", "_gs_size")
"""Columns with the path, modification time and size of a line's file."""

_BLOCK, _AT, _POS, _BODY, _INSIDE = "_gs_block", "_gs_at", "_gs_pos", "_gs_body", "_gs_inside"
_START, _NON_BLANK, _COUNT = "_gs_start", "_gs_non_blank", "_gs_count"
REPLACEMENT = "\ufffd"
"""The replacement character for bytes that are not valid in a file's encoding."""
_BLANK_PATTERN = r"\x00-\x20"
_LENIENT = {"spark.sql.legacy.javaCharsets": "true", "spark.sql.legacy.codingErrorAction": "true"}


def file_columns() -> tuple[Column, ...]:
    return (
        F.col("_metadata.file_path").alias("_gs_path"),
        F.col("_metadata.file_modification_time").alias("_gs_modified"),
        F.col("_metadata.file_size").alias("_gs_size"),
    )


def reader_of(spark: SparkSession, paths: Iterable[str]) -> DataFrameReader:
    """Spark's reader, which decompresses files by their names: of ZIP files, the only file in each."""
    # Not a setting of the session: where the codec is missing, each file of text would be an error.
    zipped = any(path.lower().endswith(ZIP) for path in paths)
    return spark.read.options(**({"io.compression.codecs": ZIP_CODEC} if zipped else {}))


def source_file(stem: str) -> str:
    """SQL: the path of a line's file below the landing folder `stem`."""
    # Spark writes `file:/x` or `file:///x` and encodes the path, but not a plus sign.
    plain = f"url_decode(replace({FILE[0]}, '+', '%2B'))"
    return f"substring(regexp_replace({plain}, '^[a-z0-9]+:/+', '/'), {len(stem) + 2})"


def json_lines(spark: SparkSession, paths: list[str], options: Options) -> DataFrame:
    """The lines that are not blank, with FILE."""
    return text_lines(spark, paths, options).where(F.col(LINE).rlike(r"\S"))


def whole_texts(spark: SparkSession, paths: list[str], options: Options) -> DataFrame:
    """The text of each file that is not blank as LINE, without a byte order mark, with FILE."""
    texts = _decoded(spark, reader_of(spark, paths).text(paths, wholetext=True), options)
    plain = F.expr(f"regexp_replace({LINE}, r'^\\uFEFF', '')")
    return texts.withColumn(LINE, plain).where(F.col(LINE).rlike(r"\S"))


def text_lines(
    spark: SparkSession, paths: list[str], options: Options, *columns: Column, separator: str | None = None
) -> DataFrame:
    """Every line of the files, decoded, with FILE and `columns`. Invalid bytes become U+FFFD."""
    separator = options.get("linesep", separator)
    lines = reader_of(spark, paths).options(**({"linesep": separator} if separator else {})).text(paths)
    return _decoded(spark, lines, options, *columns)


def _decoded(spark: SparkSession, lines: DataFrame, options: Options, *columns: Column) -> DataFrame:
    encoding = options.get("encoding", UTF_8)
    if encoding == UTF_8:
        return lines.select(F.expr("make_valid_utf8(value)").alias(LINE), *file_columns(), *columns)
    with _lenient(spark):
        decoded = F.expr(f"decode(CAST(value AS binary), {literal(encoding)})").alias(LINE)
        return lines.select(decoded, *file_columns(), *columns)


@contextmanager
def _lenient(spark: SparkSession) -> Iterator[None]:
    """Accepts all of Java's encodings, and decodes invalid bytes to U+FFFD without an error."""
    before = {key: spark.conf.get(key) for key in _LENIENT}
    for key, value in _LENIENT.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, former in before.items():
            spark.conf.set(key, str(former))


def needs_every_line(names: Sequence[str], options: Options) -> bool:
    """Whether Spark's CSV reader would not return every record of a file as one line.

    It skips blank lines, also lines of separators that are white space, and supports few encodings.
    """
    blanks_count = len(names) == 1 or not options["sep"].strip(BLANKS)
    return flag(options, "multiline") or blanks_count or options.get("encoding", UTF_8) not in PLAIN_ENCODINGS


def numbered_records(
    spark: SparkSession, paths: list[str], names: Sequence[str], options: Options
) -> DataFrame:
    """The records of CSV files as LINE, with FILE, without the header.

    Blank lines are skipped, except below the header of a single column, where they are empty values. With `multiLine`
    a quoted value may contain line breaks. A malformed record ends with the line at which the error is detected, as in
    Python's strict csv.reader: an unclosed quote includes only the lines that it swallowed.
    """
    block = F.col("_metadata.file_block_start").alias(_BLOCK)
    at = F.monotonically_increasing_id().alias(_AT)
    if flag(options, "multiline"):
        separator = options.get("linesep", "\n")
        lines = text_lines(spark, paths, options, block, at, separator=separator)
        pieces = _with_state(_pieces(lines, options), options)
    else:
        lines = text_lines(spark, paths, options, block, at)
        pieces = lines.select(
            "*", F.lit(0).alias(_POS), F.col(LINE).alias(_BODY), F.lit(False).alias(_INSIDE)
        )
    blank = F.col(_BODY).rlike(rf"^[{_BLANK_PATTERN}]*+\z")
    if len(names) > 1:
        blank &= ~F.col(_BODY).contains(options["sep"])
    starts = ~F.col(_INSIDE)
    skipped = blank if len(names) > 1 else F.lit(False)
    if options.get("comment"):
        skipped |= F.col(_BODY).startswith(options["comment"])
    kept = pieces.select("*", starts.alias(_START), (starts & ~blank).alias(_NON_BLANK)).where(
        ~(starts & skipped)
    )
    if flag(options, "header", "true"):
        # Skips the first record that is not blank, and all before it.
        number = F.sum(F.col(_NON_BLANK).cast("int")).over(_in_order())
        kept = kept.select("*", number.alias(_COUNT))
        kept = kept.where(f"{_COUNT} > 1 OR {_COUNT} = 1 AND NOT {_NON_BLANK}")
    if not flag(options, "multiline"):
        return kept.select(LINE, *FILE)
    return _joined(kept, options)


def _in_order() -> WindowSpec:
    """A window over the lines of a file in order; its blocks may be read in any order."""
    return Window.partitionBy(FILE[0]).orderBy(_BLOCK, _AT, _POS)


def _pieces(lines: DataFrame, options: Options) -> DataFrame:
    """Lines with their line breaks, of which a single carriage return is one. BODY is a line without its break."""
    if "linesep" in options:
        ended = F.concat(F.col(LINE), F.lit(options["linesep"]))
        return lines.select(
            ended.alias(LINE), *FILE, _BLOCK, _AT, F.lit(0).alias(_POS), F.col(LINE).alias(_BODY)
        )
    parts = rf"IF({LINE} RLIKE r'\r(?!\z)', split({LINE}, r'(?<=\r)(?!\z)'), array({LINE}))"
    split = lines.select(
        F.posexplode(F.expr(parts)).alias(_POS, _BODY),
        F.expr(f"size({parts})").alias("n"),
        *FILE,
        _BLOCK,
        _AT,
    )
    ended = F.expr(f"IF({_POS} + 1 = n, concat({_BODY}, '\\n'), {_BODY})")
    return split.select(
        ended.alias(LINE), *FILE, _BLOCK, _AT, _POS, F.expr(f"rtrim('\\r', {_BODY})").alias(_BODY)
    )


def _with_state(pieces: DataFrame, options: Options) -> DataFrame:
    """Lines with INSIDE: whether a quote is open where a line begins.

    A line maps the state before it (a quote is open or not) to the state after it, so there are four kinds of lines.
    After a line that gives the same state in both cases, the state is known; lines that swap the states are counted
    from there.
    """
    patterns, body = CsvPatterns(options), F.col(_BODY)
    opens = body.rlike(patterns.opens)
    if options.get("comment"):
        opens &= ~body.startswith(options["comment"])
    found = pieces.select("*", opens.alias("opens"), body.rlike(patterns.stays).alias("stays"))
    swaps = F.sum(F.expr("int(opens AND NOT stays)")).over(_in_order())
    found = found.select("*", swaps.alias("swaps"))
    fixed = F.last(F.expr("IF(opens = stays, struct(opens, swaps), NULL)"), ignorenulls=True)
    found = found.select("*", fixed.over(_in_order()).alias("fixed"))
    after = "coalesce(fixed.opens, false) <> ((swaps - coalesce(fixed.swaps, 0)) % 2 = 1)"
    found = found.select("*", F.expr(after).alias("after"))
    return found.select(*pieces.columns, F.lag("after", 1, False).over(_in_order()).alias(_INSIDE))


def _joined(pieces: DataFrame, options: Options) -> DataFrame:
    """The records: their lines joined with the line breaks between them."""
    record = F.sum(F.col(_START).cast("int")).over(_in_order())
    parts = F.sort_array(F.collect_list(F.struct(_BLOCK, _AT, _POS, LINE))).alias("parts")
    grouped = pieces.select("*", record.alias("record")).groupBy(*FILE, "record").agg(parts)
    end = re.escape(options["linesep"]) if "linesep" in options else r"(?:\r\n|\n|\r)"
    end += r"\z"
    joined = f"array_join(transform(parts, p -> p.{LINE}), '')"
    whole = f"regexp_replace({joined}, {literal(end)}, '')"
    return grouped.select(F.expr(whole).alias(LINE), *FILE)
