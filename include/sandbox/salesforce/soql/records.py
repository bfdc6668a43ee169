"""Result rows as JSON records."""

import json
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from sandbox.salesforce.records.values import to_json
from sandbox.salesforce.schema.model import Field, FieldType
from sandbox.salesforce.soql.plan import Compiled

Renderer = Callable[[tuple[Any, ...]], dict[str, Any]]


def _converter(field: Field) -> Callable[[Any], Any] | None:
    return json.loads if field.type is FieldType.ADDRESS else to_json(field)


def renderer(plan: Compiled, base: str, start: int = 0) -> Renderer:
    """Return the function that makes a record of a result row.

    Args:
        plan: The compiled query; its outputs follow the record's id in every row.
        base: ``/services/data/vX``, for the records' urls.
        start: The place of the id in a row.
    """
    simple = [(at, output.names[0]) for at, output in enumerate(plan.outputs, start + 1) if len(output.names) == 1]
    keys, places = [key for _, key in simple], [at for at, _ in simple]
    # What itemgetter gets of one place is no tuple; of none, an error.
    pick = itemgetter(*places) if len(places) > 1 else lambda row: [row[at] for at in places]
    rendered = [(o.names[0], render) for o in plan.outputs if len(o.names) == 1 and (render := _converter(o.field))]
    deep = [
        (at, output, _converter(output.field))
        for at, output in enumerate(plan.outputs, start + 1)
        if len(output.names) > 1
    ]
    name, url = plan.object.name, f"{base}/sobjects/{plan.object.name}/"
    parents = {p.names: (at, p) for at, p in enumerate(plan.parents, start + 1 + len(plan.outputs))}

    def record(row: tuple[Any, ...]) -> dict[str, Any]:
        if plan.aggregate:
            result: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        else:
            result = {"attributes": {"type": name, "url": url + row[start]}}
        result.update(zip(keys, pick(row)))  # noqa: B905 - of one length, and this is what pages spend their time on
        for key, render in rendered:
            if result[key] is not None:
                result[key] = render(result[key])
        for at, output, convert in deep:
            value = row[at]
            place: dict[str, Any] | None = result
            for depth, part in enumerate(output.names[:-1], 1):
                if place is None:
                    break
                id_at, above = parents[output.names[:depth]]
                parent, key = row[id_at], part.partition(":")[0]
                if place.get(key) is None:
                    place[key] = parent and {
                        "attributes": {"type": above.type, "url": f"{base}/sobjects/{above.url(parent)}"}
                    }
                # One case of a TYPEOF at most is the parent's.
                place = place[key] if parent else None
            if place is not None:
                place[output.names[-1]] = convert(value) if convert and value is not None else value
        return result

    return record
