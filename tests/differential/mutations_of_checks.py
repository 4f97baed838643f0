"""Mutations of the errors and notes of `check`."""

from __future__ import annotations

from differential.mutation import Mutation

CHANCE = "SQL whose value changes from run to run is refused"
ORDER = "SQL whose result depends on the order of rows is refused, or reported with its remedy"
OPTIONS = "an option without effect is refused"
PATHS = "a source and a feed stay in the landing folder"

CALLS = "goldsmith/project/sql/calls.py"
TIMES = "goldsmith/project/sql/moments.py"
SORTED = "goldsmith/project/sql/order.py"
LIMITED = "goldsmith/project/sql/limit.py"
OPTION = "goldsmith/project/checks/file_options.py"
LANDING = "goldsmith/engine/ingest/landing.py"
DISK = "goldsmith/engine/ingest/landing_disk.py"
SOURCE_VALUES = "goldsmith/project/source_values.py"

COLUMNS = "tests/unit/test_sql_columns.py"
REFUSED = "tests/unit/test_sql_order.py::test_query_without_a_required_order_is_refused"
TIES = "tests/unit/test_sql_order.py::test_relevant_ties_give_a_note"
VALID = "tests/unit/test_sql_order.py::test_total_order_gives_no_note"
SOURCES = "tests/unit/test_sources.py"
FEEDING = "tests/unit/test_feeding.py"

CHECKS: tuple[Mutation, ...] = (
    Mutation(
        CHANCE,
        "a text for the current time is allowed",
        TIMES,
        '_MOMENT = re.compile(r"\\s*(?:now\\s*$|',
        '_MOMENT = re.compile(r"\\s*(?:neverever\\s*$|',
        COLUMNS,
    ),
    Mutation(
        CHANCE,
        "a text for the current date with a zone is allowed",
        TIMES,
        "(?:\\s*$|[^A-Za-z]))",
        "\\s*$)",
        COLUMNS,
    ),
    Mutation(
        CHANCE,
        "an encryption with a random vector is allowed",
        CALLS,
        "        return name if _random_vector(list(node.iter_expressions())) else None\n",
        "        return None\n",
        COLUMNS,
    ),
    Mutation(
        CHANCE,
        "an empty vector of an encryption is accepted",
        CALLS,
        """    return len(values) <= _VECTOR or values[_VECTOR] == ""\n""",
        "    return len(values) <= _VECTOR\n",
        COLUMNS,
    ),
    Mutation(
        CHANCE,
        "a call with a comment for its arguments has arguments",
        CALLS,
        """    return "()" if next((token.token_type for token in after), None) is TokenType.R_PAREN else "(...)"\n""",
        """    empty = parsed.text[(end or 0) + 1 :].replace(" ", "").startswith("()")\n"""
        """    return "()" if empty else "(...)"\n""",
        COLUMNS,
    ),
    Mutation(
        ORDER,
        "aggregates that return any row's value are allowed",
        SORTED,
        "        elif name in PICKING or name in LISTING or name in TIED:\n",
        "        elif name in LISTING or name in TIED:\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "lists in the order of rows are allowed",
        SORTED,
        "                if not self._read_without_order(top):\n",
        "                if False:\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "a list is considered sorted by any function",
        SORTED,
        "        return name in ORDER_FREE_READERS and not ordered_by\n",
        "        return not ordered_by\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "a list sorted by a user's comparison is considered sorted",
        SORTED,
        "        return name in ORDER_FREE_READERS and not ordered_by\n",
        "        return name in ORDER_FREE_READERS\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "LIMIT without ORDER BY is allowed",
        LIMITED,
        "    if _settled(unique, relation, ordering):\n",
        "    if not ordering or _settled(unique, relation, ordering):\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "LIMIT with any ORDER BY is allowed",
        LIMITED,
        "    if _settled(unique, relation, ordering):\n",
        "    if ordering or _settled(unique, relation, ordering):\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "OFFSET is not checked",
        LIMITED,
        "find_all(exp.Limit, exp.Offset, exp.Fetch)",
        "find_all(exp.Limit, exp.Fetch)",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "a window without an order is allowed",
        SORTED,
        "        if not any(list(each.find_all(exp.Column, exp.Star)) for each in ordering):\n",
        "        if False:\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "an order by a constant is accepted",
        SORTED,
        "        if not any(list(each.find_all(exp.Column, exp.Star)) for each in ordering):\n",
        "        if not ordering:\n",
        REFUSED,
    ),
    Mutation(
        ORDER,
        "ties of row_number are not reported",
        SORTED,
        "        if not self._total(select, known | covered):\n",
        "        if False:\n",
        TIES,
    ),
    Mutation(
        ORDER,
        "ties of max_by are not reported",
        SORTED,
        "                yield from self._ties(select, node, name, known, values[:1], values[1:2])\n",
        "                return\n",
        TIES,
    ),
    Mutation(
        ORDER,
        "ties of max_by over a window are not reported",
        SORTED,
        "            yield from self._ties_over(select, node, name, known, values[:1], values[1:2])\n",
        "",
        TIES,
    ),
    Mutation(
        ORDER,
        "ties of mode are not reported",
        SORTED,
        "                if not _names_value(node, ordering):\n",
        "                if False:\n",
        TIES,
    ),
    Mutation(
        ORDER,
        "ties of an ordered list are not reported",
        SORTED,
        "                yield from self._ties(select, node, name, known, values, ordering)\n",
        "                return\n",
        TIES,
    ),
    Mutation(
        ORDER,
        "approximations are not reported",
        SORTED,
        "        if name in APPROXIMATE:\n            yield _approximate(node, name)\n        elif",
        "        if",
        TIES,
    ),
    Mutation(
        ORDER,
        "frames of rows are not checked",
        SORTED,
        "        sequence = name in POSITIONAL or name in LISTING or rows\n",
        "        sequence = name in POSITIONAL or name in LISTING\n",
        f"{REFUSED} {TIES}",
    ),
    Mutation(
        ORDER,
        "named windows are not checked",
        SORTED,
        "            nodes.append(named[alias.name.lower()])\n",
        "            pass\n",
        f"{TIES} {VALID}",
    ),
    Mutation(
        ORDER,
        "functions other than Spark's are not reported",
        SORTED,
        "                if is_foreign(self._parsed, node):\n",
        "                if False:\n",
        TIES,
    ),
    Mutation(
        OPTIONS,
        "unknown options are accepted",
        OPTION,
        "        if name.lower() not in known:\n",
        "        if name.lower() not in known:\n            continue\n        if False:\n",
        SOURCES,
    ),
    Mutation(
        OPTIONS,
        "options of types are accepted, although columns decide them",
        OPTION,
        "            code, message, hint = _refused(source.format, name)\n",
        "            if name.lower() in _OF_TYPES:\n                continue\n"
        "            code, message, hint = _refused(source.format, name)\n",
        SOURCES,
    ),
    Mutation(
        OPTIONS,
        "options of another format are accepted",
        OPTION,
        "for name, takes in FORMATS[source.format].options.items()}",
        "for form in FORMATS.values() for name, takes in form.options.items()}",
        SOURCES,
    ),
    Mutation(
        OPTIONS,
        "invalid values of options are accepted",
        OPTION,
        "        if misfit is not None:\n",
        "        if False:\n",
        SOURCES,
    ),
    Mutation(
        PATHS,
        "a source may leave the landing folder by `..`",
        SOURCE_VALUES,
        """ or "://" in files or ".." in parts:\n""",
        """ or "://" in files:\n""",
        SOURCES,
    ),
    Mutation(
        PATHS,
        "a source may name an absolute path",
        SOURCE_VALUES,
        """    if files.startswith(("/", "~")) or""",
        "    if",
        SOURCES,
    ),
    Mutation(
        PATHS,
        "a source follows links out of the landing folder",
        DISK,
        "                if links.lead_out(path):\n",
        "                if False:\n",
        SOURCES,
    ),
    Mutation(
        PATHS,
        "a source follows linked folders out of the landing folder",
        DISK,
        "        return self._known[file.parent] or (file.is_symlink()",
        "        return (file.is_symlink()",
        SOURCES,
    ),
    Mutation(
        PATHS,
        "a feed may deliver outside the landing folder",
        LANDING,
        """ or "://" in path or ".." in names:\n""",
        """ or "://" in path:\n""",
        FEEDING,
    ),
    Mutation(
        PATHS,
        "a feed follows links out of the landing folder",
        DISK,
        "        elif not file.parent.resolve().is_relative_to(self.root.resolve()):\n",
        "        elif False:\n",
        FEEDING,
    ),
    Mutation(
        PATHS,
        "a feed may deliver files that loads ignore",
        LANDING,
        "    elif ignored(names):\n",
        "    elif False:\n",
        FEEDING,
    ),
)
