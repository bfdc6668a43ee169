"""Great Expectations, asked as cheaply as it can be: first whether a rule holds at all, then, only for those that do not,
which rows fail. Neither answer holds a value.

A `Validator` on a `PandasExecutionEngine` is what Great Expectations itself runs a suite with. Going there directly leaves
out a fingerprint of every cell (1 s per 50,000 rows), which nothing here reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from accord.quality.rule import HAS_COLUMNS, Rule

WHETHER: Mapping[str, Any] = {"result_format": "BOOLEAN_ONLY"}
WHICH: Mapping[str, Any] = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,  # it would spell out every failing row a second time
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rule found: `positions` of the failing rows, or `failing` for a rule of the whole table; `error` when it could not
    be evaluated; `detail` says what is wrong with the whole table. No values anywhere."""

    positions: Sequence[int] = ()
    failing: bool = False
    error: str = ""
    detail: str = ""


def evaluate(rows: pa.Table, rules: Sequence[Rule]) -> dict[str, Found]:
    """What each of `rules` finds in `rows`, by rule name. A rule that raises is an `error`, and no other rule suffers."""
    found: dict[str, Found] = {}
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    able = []
    for rule in rules:
        missing = [name for name in rule.needs if name not in rows.column_names]
        if missing:
            found[rule.name] = Found(error=f"there is no column {', '.join(missing)}")
            continue
        try:
            columns |= {rule.name: rule.holds(rows)} if rule.holds else {name: rows[name] for name in rule.needs}
        except Exception as error:  # whatever a rule trips over is the rule's, not the record's
            found[rule.name] = Found(error=type(error).__name__)
            continue
        able.append(rule)
    if able:
        found |= _ask(pa.table(columns), able)
    return found


def evaluate_columns(description: Sequence[str], rule: Rule) -> Found:
    """Whether a table with these columns ("name: kind") has those `rule` wants."""
    empty = pa.table({name: pa.array([], pa.bool_()) for name in dict.fromkeys(description)})
    return _ask(empty, [rule])[rule.name]


def _ask(table: pa.Table, rules: Sequence[Rule]) -> dict[str, Found]:
    import pandas as pd

    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    by_name = {rule.name: rule for rule in rules}
    try:
        first = _validate(frame, rules, WHETHER)
    except Exception as error:  # an expectation Great Expectations can't even be asked: find out which
        if len(rules) == 1:
            return {rules[0].name: Found(error=type(error).__name__)}
        return {name: found for rule in rules for name, found in _ask(table, [rule]).items()}
    found = {name: Found(error=_error(result)) for name, result in first.items()}
    failing = [by_name[name] for name, result in first.items() if not result.success and not found[name].error]
    if failing:
        for name, result in _validate(frame, failing, WHICH).items():
            found[name] = _found(by_name[name], result)
    return found


def _found(rule: Rule, result: Any) -> Found:
    if error := _error(result):
        return Found(error=error)
    if rule.of_rows:
        return Found(positions=result.result["unexpected_index_list"])
    if rule.expectation == HAS_COLUMNS:
        return Found(failing=True, detail=", ".join(result.result["details"]["mismatched"].get("missing", ())))
    return Found(failing=True, detail=f"{result.result['observed_value']} rows")


def _validate(frame: Any, rules: Sequence[Rule], result_format: Mapping[str, Any]) -> dict[str, Any]:
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.validator.validator import Validator

    validator = Validator(execution_engine=PandasExecutionEngine(batch_data_dict={"chunk": frame}))
    validator.metrics_calculator.show_progress_bars = False
    wanted = [
        ExpectationConfiguration(
            type=rule.expectation, kwargs=rule.kwargs, meta={"rule": rule.name}, severity=FailureSeverity(rule.severity)
        )
        for rule in rules
    ]
    answers = validator.graph_validate(
        configurations=wanted, runtime_configuration={"result_format": dict(result_format)}
    )
    # an expectation that raised comes before the others, so place tells nothing
    return {answer.expectation_config.meta["rule"]: answer for answer in answers if answer.expectation_config}


def _error(result: Any) -> str:
    """The kind of exception that kept an expectation from being evaluated, without its message, which may quote a value; empty
    when none did."""
    info = result.exception_info or {}
    for one in (info,) if "raised_exception" in info else info.values():
        if one["raised_exception"]:
            last = str(one["exception_traceback"]).strip().rsplit("\n", 1)[-1]
            return last.split(":", 1)[0].rsplit(".", 1)[-1] or "an unknown error"
    return ""
