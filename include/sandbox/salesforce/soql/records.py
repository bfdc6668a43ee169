"""Result rows as JSON records."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.salesforce.records.values import to_json
from sandbox.salesforce.schema.model import Field, FieldType
from sandbox.salesforce.soql.compiler import Compiled

Renderer = Callable[[tuple[Any, ...], int], dict[str, Any]]


def _converter(field: Field) -> Callable[[Any], Any] | None:
    return json.loads if field.type is FieldType.ADDRESS else to_json(field)


def renderer(plan: Compiled, base: str) -> Renderer:
    """Return the function that makes a record of a result row.

    Args:
        plan: The compiled query; its outputs follow the record's id in every row.
        base: ``/services/data/vX``, for the records' urls.

    Returns:
        A function of a row and the place of the id in it.
    """
    simple = [(at, output.names[0]) for at, output in enumerate(plan.outputs, 1) if len(output.names) == 1]
    keys = [key for _, key in simple]
    conversions = [(o.names[0], convert) for o in plan.outputs if len(o.names) == 1 and (convert := _converter(o.field))]
    deep = [
        (at, output, _converter(output.field)) for at, output in enumerate(plan.outputs, 1) if len(output.names) > 1
    ]
    name, url = plan.object.name, f"{base}/sobjects/{plan.object.name}/"
    parents = {p.names: (at, p.type) for at, p in enumerate(plan.parents, 1 + len(plan.outputs))}

    def record(row: tuple[Any, ...], start: int) -> dict[str, Any]:
        if plan.aggregate:
            result: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        else:
            result = {"attributes": {"type": name, "url": url + row[start]}}
        result.update(zip(keys, [row[start + at] for at, _ in simple], strict=True))
        for key, convert in conversions:
            if result[key] is not None:
                result[key] = convert(result[key])
        for at, output, convert in deep:
            value = row[start + at]
            place: dict[str, Any] | None = result
            for depth, part in enumerate(output.names[:-1], 1):
                if place is None:
                    break
                if part not in place:
                    id_at, type = parents[output.names[:depth]]
                    parent = row[start + id_at]
                    place[part] = parent and {"attributes": {"type": type, "url": f"{base}/sobjects/{type}/{parent}"}}
                place = place[part]
            if place is not None:
                place[output.names[-1]] = convert(value) if convert and value is not None else value
        return result

    return record
