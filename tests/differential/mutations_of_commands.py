"""Mistakes in what commands execute and print, and in their errors."""

from __future__ import annotations

from differential.mutation import Mutation

READS = "`sql` and `table show` execute nothing but a query"
SHOWN = "a value cannot act on the terminal"
LITTLE = "a load of which little is left does not look like success"
FEEDS = "an error of a feed names its pipeline, its day and its line"
TOLD = "an error is told in one line, with its place and what to do"

QUERIES = "goldsmith/engine/queries.py"
CONSOLE = "goldsmith/cli/console.py"
OUTCOME = "goldsmith/run/outcome.py"
PROGRESS = "goldsmith/cli/progress.py"
FEED = "goldsmith/run/feeding.py"
USER_CODE = "goldsmith/run/user_code.py"
FAILURES = "goldsmith/engine/failures.py"

WRITING = "tests/spark/test_asking.py::test_statement_other_than_a_read_is_refused_without_effect"
CONSOLE_TESTS = "tests/unit/test_console.py"
FEEDING = "tests/unit/test_feeding.py"
CLI = "tests/unit/test_cli.py"
RAISED = f"{FEEDING}::test_error_of_a_feed_names_pipeline_day_and_line"

COMMANDS: tuple[Mutation, ...] = (
    Mutation(
        READS,
        "a list of what is forbidden, and all else is executed",
        QUERIES,
        "        if kind not in allowed:\n",
        """        if kind.rpartition(".")[2] in ("DeleteFromTable", "InsertIntoStatement", "MergeIntoTable"):\n""",
        WRITING,
    ),
    Mutation(
        READS,
        "what is beside a plan's children is not looked at",
        QUERIES,
        "        for inner in (node.children(), node.subqueries(), _beside(node)):\n",
        "        for inner in (node.children(),):\n",
        WRITING,
    ),
    Mutation(
        READS,
        "the analyzed plan is not looked at",
        QUERIES,
        "        nodes = list(_nodes(analyzed))\n        _require(nodes, _QUERY)\n",
        "        nodes = list(_nodes(analyzed))\n",
        WRITING,
    ),
    Mutation(
        READS,
        "what EXPLAIN is about is not looked at",
        QUERIES,
        "    if query is None:\n        _require(nodes[1:], _NAMES)\n    else:\n",
        "    if query is None:\n        _require(nodes[1:], _NAMES)\n    elif query is plan:\n",
        WRITING,
    ),
    Mutation(
        READS,
        "functions that call Java are allowed",
        QUERIES,
        "        if any(_runs_code(node) for node in nodes):\n",
        "        if False:\n",
        WRITING,
    ),
    Mutation(
        SHOWN,
        "control characters are printed as they are",
        CONSOLE,
        """    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)\n""",
        "    return text\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "control characters of eight bits are printed as they are",
        CONSOLE,
        """    "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\xad""",
        """    "[\\x00-\\x09\\x0b-\\x1f\\x7f\\xad""",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "text without a style is printed as it is",
        CONSOLE,
        "        return super().render_str(visible(text), **options)\n",
        "        return super().render_str(text, **options)\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "text with a style is printed as it is",
        CONSOLE,
        "else (visible(part[0]), part[1]) for part in parts)",
        "else part for part in parts)",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "values in tables are printed as they are",
        CONSOLE,
        """    return visible(text).replace("\\n", "\\\\n")\n""",
        """    return text.replace("\\n", "\\\\n")\n""",
        CONSOLE_TESTS,
    ),
    Mutation(
        SHOWN,
        "values are taken for markup",
        CONSOLE,
        "highlight=False, markup=False, emoji=False",
        "highlight=False, markup=True, emoji=False",
        CONSOLE_TESTS,
    ),
    Mutation(
        LITTLE,
        "no load keeps little",
        OUTCOME,
        "    return 2 * (counts.quarantined + counts.dropped) > counts.rows_in\n",
        "    return False\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        LITTLE,
        "dropped rows are not left out",
        OUTCOME,
        "    return 2 * (counts.quarantined + counts.dropped) > counts.rows_in\n",
        "    return 2 * counts.quarantined > counts.rows_in\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        LITTLE,
        "one bad load among good ones is not told",
        PROGRESS,
        "        if any(mostly_rejected(commit.counts) for commit in outcome.commits)\n",
        "        if mostly_rejected(outcome.counts)\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        LITTLE,
        "the last line of a run does not name what is left out",
        PROGRESS,
        """    return [*parts, "."] if parts else []\n""",
        "    return []\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        LITTLE,
        "a run has no warning of a load that kept little",
        "goldsmith/run/runner.py",
        "        (*loaded.warnings, *((little,) if little else ())),\n",
        "        loaded.warnings,\n",
        "tests/spark/test_asking.py::test_control_characters_in_quarantined_values_are_escaped",
    ),
    Mutation(
        LITTLE,
        "status does not tell a load that kept little",
        "goldsmith/run/table_status.py",
        """    return f"In its last load {found}" if found else None\n""",
        "    return None\n",
        "tests/spark/test_asking.py::test_control_characters_in_quarantined_values_are_escaped",
    ),
    Mutation(
        FEEDS,
        "what a feed raises is a defect",
        FEED,
        "        except GoldsmithError:\n            raise\n        except (Exception, SystemExit) as error:\n",
        "        except GoldsmithError:\n            raise\n        except ValueError as error:\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "what a feed raises does not name the day",
        FEED,
        """                f"failed on {day}: {one_line(error)}",\n""",
        """                f"failed: {one_line(error)}",\n""",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "a path that is refused does not name the day",
        FEED,
        """    message = f"{whose} failed on {day}. {error.message}"\n""",
        """    message = f"{whose} failed. {error.message}"\n""",
        f"{FEEDING}::test_unusable_feed_is_reported_with_its_file",
    ),
    Mutation(
        FEEDS,
        "what a feed raises names the line that Python's own library fails in",
        USER_CODE,
        "        if path.is_absolute() and path.resolve().is_relative_to(folder):\n",
        "        if path.is_absolute():\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "a feed that does not load is a defect",
        FEED,
        "    except (Exception, SystemExit) as error:\n        raise SourceError(\n",
        "    except ValueError as error:\n        raise SourceError(\n",
        f"{FEEDING}::test_unusable_feed_is_reported_with_its_file",
    ),
    Mutation(
        FEEDS,
        "every answer of a server may be another one later",
        USER_CODE,
        "            return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR\n",
        "            return True\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "no answer of a server may be another one later",
        USER_CODE,
        "            return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR\n",
        "            return False\n",
        RAISED,
    ),
    Mutation(
        FEEDS,
        "what a library wraps is not looked into",
        USER_CODE,
        """            waiting += [getattr(each, "reason", None), each.__cause__, each.__context__]\n""",
        "",
        RAISED,
    ),
    Mutation(
        TOLD,
        "Spark's stack as JSON comes before the error of a query",
        "goldsmith/engine/launch/session.py",
        "        PySparkLogger.getLogger(logger).disabled = True\n",
        "        PySparkLogger.getLogger(logger).disabled = False\n",
        "tests/spark/test_asking.py::test_error_is_one_message_without_a_stack",
    ),
    Mutation(
        TOLD,
        "the name and the state of Spark's condition are in the message",
        "goldsmith/run/sql_query.py",
        """    message = re.sub(r"\\s*SQLSTATE: \\w+.*$", "", line)\n""",
        "    message = line\n",
        "tests/spark/test_asking.py::test_error_is_one_message_without_a_stack",
    ),
    Mutation(
        TOLD,
        "a profile that is not declared passes where a command needs none",
        "goldsmith/cli/main.py",
        "    check_profile_name()\n",
        "",
        f"{CLI}::test_wrong_call_is_reported_at_once",
    ),
    Mutation(
        TOLD,
        "status breaks its lines where the terminal is narrow",
        CONSOLE,
        "        if sum(needed.values()) > width:\n",
        "        if False:\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        TOLD,
        "words of a table's columns are broken",
        CONSOLE,
        """        column.no_wrap = True\n        column.overflow = "ellipsis"\n""",
        "        pass\n",
        CONSOLE_TESTS,
    ),
    Mutation(
        TOLD,
        "a column that was added is not named",
        "goldsmith/run/table_loading.py",
        "            reason=done.reason + _new_columns(before, plan.log),\n",
        "            reason=done.reason,\n",
        "tests/spark/test_asking.py::test_run_names_an_added_column",
    ),
    Mutation(
        TOLD,
        "the check loads Spark",
        "goldsmith/cli/opening.py",
        "from goldsmith.settings import Settings\n",
        "from goldsmith.engine.launch.session import make_session as make_session\nfrom goldsmith.settings import Settings\n",
        f"{CLI}::test_check_and_help_import_no_spark",
    ),
    Mutation(
        TOLD,
        "the help loads the declarations",
        "goldsmith/cli/opening.py",
        "from goldsmith.settings import Settings\n",
        "from goldsmith.project.loading import load_project as load_project\nfrom goldsmith.settings import Settings\n",
        f"{CLI}::test_help_imports_no_declarations",
    ),
)
