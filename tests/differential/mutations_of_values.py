"""Mutations of delivered values, and of values passed through SQL or Python."""

from __future__ import annotations

from differential.mutation import Mutation

JSON = "JSON is loaded as the exact delivered text"
CASTS = "a value that its type cannot represent is a violation"
RECORDS = "every delivered record is loaded or quarantined"
LITERALS = "keys and partition values of every type and size can be loaded"
PATHS = "a path is quoted in SQL"

CASTING = "goldsmith/engine/ingest/casting.py"
LITERAL = "goldsmith/engine/row_literals.py"
LINES = "goldsmith/engine/ingest/lines.py"
TEXTS = "tests/spark/test_casting.py::test_text_is_cast_exactly_or_rejected"
TYPED = "tests/spark/test_casting.py::test_lossy_cast_of_a_typed_value_is_a_violation"
EVERY_VALUE = "tests/spark/test_literals.py::test_literals_of_every_type_round_trip"
EXACTLY = "tests/spark/test_delivered_exactly.py"
ODD_FOLDER = "tests/spark/test_odd_folder.py"

VALUES: tuple[Mutation, ...] = (
    Mutation(
        JSON,
        "JSON numbers pass through double",
        "goldsmith/engine/ingest/json_text.py",
        """    return f\"\"\"regexp_replace({text}, r'{_STRING_OR_NUMBER}', '"$1$2"')\"\"\"\n""",
        "    return text\n",
        f"{EXACTLY}::test_bronze_contains_the_delivered_values",
    ),
    Mutation(
        CASTS,
        "a cast of text rounds and drops times and zones",
        CASTING,
        "    match target:\n        case DecimalType():\n            return _decimal_fits",
        "    match None:\n        case DecimalType():\n            return _decimal_fits",
        "seeds 0:10",
    ),
    Mutation(
        CASTS,
        "text is rounded to a decimal's scale",
        CASTING,
        "            return _decimal_fits(text, target.scale)\n",
        "            return None\n",
        TEXTS,
    ),
    Mutation(
        CASTS,
        "a date drops a time",
        CASTING,
        """            return f"{text} RLIKE r'{_IS_DATE}'"\n""",
        "            return None\n",
        TEXTS,
    ),
    Mutation(
        CASTS,
        "a timestamp without a zone drops a zone",
        CASTING,
        """            return f"{text} RLIKE r'{_IS_LOCAL}'"\n""",
        "            return None\n",
        TEXTS,
    ),
    Mutation(
        CASTS,
        "a timestamp drops digits beyond microseconds",
        CASTING,
        """            return f"{text} RLIKE r'{_IS_INSTANT}'"\n""",
        "            return None\n",
        TEXTS,
    ),
    Mutation(
        CASTS,
        "a decimal is rounded to another scale",
        CASTING,
        "            return target.scale < source.scale\n",
        "            return False\n",
        TYPED,
    ),
    Mutation(
        RECORDS,
        "blank lines of one column and lines of tabs are lost",
        LINES,
        """    blanks_count = len(names) == 1 or not options["sep"].strip(BLANKS)""",
        """    blanks_count = False""",
        "seeds 11,19",
    ),
    Mutation(
        RECORDS,
        "an open quote swallows the records after it",
        LINES,
        """    return flag(options, "multiline") or blanks_count""",
        """    return blanks_count""",
        f"{EXACTLY}::test_unclosed_quote_quarantines_only_the_lines_that_it_spans tests/spark/test_odd_files.py",
    ),
    Mutation(
        LITERALS,
        "literals of binary values are not their bytes",
        LITERAL,
        "        case BinaryType():\n            return f\"concat('X\\\\'', hex({value}), '\\\\'')\"",
        "        case BinaryType():\n            return text",
        EVERY_VALUE,
    ),
    Mutation(
        LITERALS,
        "literals of structs and arrays have only the types of their members",
        LITERAL,
        """        return f"concat('CAST(', {_member(value, kind, 0)}, {text_literal(f' AS {type_text(kind)})')})"\n""",
        "        return _member(value, kind, 0)\n",
        EVERY_VALUE,
    ),
    Mutation(
        LITERALS,
        "days pass through Python, which does not support years beyond 9999",
        "goldsmith/run/loads/overwrite_partitions.py",
        "    return tuple(map(tuple, changes.distinct().limit(MAX_VALUES + 1).selectExpr(*literals).collect()))\n",
        "    changes.distinct().collect()\n"
        "    return tuple(map(tuple, changes.distinct().limit(MAX_VALUES + 1).selectExpr(*literals).collect()))\n",
        "tests/spark/test_literals.py::test_days_beyond_year_9999_are_valid_keys_and_partitions",
    ),
    Mutation(
        LITERALS,
        "rows with days beyond year 9999 cannot be printed",
        "goldsmith/run/sql_query.py",
        "    if not any(map(_has_time, kinds)):\n",
        "    if True:\n",
        "tests/spark/test_asking.py::test_read_only_statements_return_rows",
    ),
    Mutation(
        PATHS,
        "quotes in a text end its literal",
        "goldsmith/project/sql/text.py",
        """    escaped = text.replace("\\\\", "\\\\\\\\").replace("'", "\\\\'")\n""",
        "    escaped = text\n",
        "tests/spark/test_asking.py::test_read_only_statements_return_rows",
    ),
    Mutation(
        PATHS,
        "a backtick in a name ends it",
        "goldsmith/project/sql/text.py",
        '''    """A name in backticks."""\n    return "`" + name.replace("`", "``") + "`"''',
        '''    """A name in backticks."""\n    return "`" + name + "`"''',
        "tests/unit/test_failures.py",
    ),
    Mutation(
        PATHS,
        "the path of a clustered table is not quoted",
        "goldsmith/engine/delta/description.py",
        "delta.{quoted(log.path)} CLUSTER BY",
        "delta.'{log.path}' CLUSTER BY",
        ODD_FOLDER,
    ),
    Mutation(
        PATHS,
        "the path of a vacuumed table is not quoted",
        "goldsmith/engine/delta/maintenance.py",
        "VACUUM delta.{quoted(path)} DRY RUN",
        "VACUUM '{path}' DRY RUN",
        ODD_FOLDER,
    ),
    Mutation(
        PATHS,
        "the path of a table in the catalog is not quoted",
        "goldsmith/engine/delta/catalog.py",
        "USING delta LOCATION {text_literal(path)}",
        "USING delta LOCATION '{path}'",
        "tests/unit/test_failures.py",
    ),
    Mutation(
        PATHS,
        "brackets in the path of a delivered file are a pattern",
        "goldsmith/engine/ingest/landing.py",
        """    return scheme + _PATTERN.sub(r"\\\\\\g<0>", f"{landing.place}/{path}")\n""",
        """    return scheme + f"{landing.place}/{path}"\n""",
        "tests/spark/test_bad_files.py::test_file_names_with_special_characters_are_loaded",
    ),
    Mutation(
        PATHS,
        "a warehouse that Delta cannot name is accepted",
        "goldsmith/run/context.py",
        """        if "`" in spec.warehouse:\n""",
        "        if False:\n",
        "tests/unit/test_profiles.py",
    ),
)
