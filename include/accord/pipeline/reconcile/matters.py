"""Differences that wait for a person: exceptions of kind `difference`, which only a reconciliation or a person closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.hub.exceptions import Raised, raise_exceptions
from accord.hub.reconciliations import Outcome
from accord.pipeline.reconcile.sides import Pair

_OPEN = """
SELECT id, key FROM exception
WHERE flow = %(flow)s AND object = %(object)s AND target = %(target)s AND kind = 'difference' AND state <> 'closed'
"""

_CLOSE = """
UPDATE exception SET state = 'closed', closed = now(), resolution = %(resolution)s
WHERE id IN (SELECT id FROM exception
             WHERE object = %(object)s AND target = %(target)s AND key = ANY(%(keys)s) AND kind = 'difference' AND state <> 'closed'
             ORDER BY id FOR UPDATE)
"""


def raise_matters(pair: Pair, run: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Open an exception for each of `rows`, or bring the open one up to date; one of another class is closed."""
    raised = [
        Raised(
            kind="difference",
            key=row["key"],
            category=Category(row["category"]),
            message=_message(pair, row),
            target=pair.target.name,
            rule=row["rule"],
            version=row["version"],
            currency=row["currency"],
            at_risk=row["at_risk"],
        )
        for row in rows
    ]
    with pair.accord.hub.session() as session:
        session.execute(
            """UPDATE exception e SET state = 'closed', closed = now(), resolution = 'it differs in another way by now'
               FROM unnest(%(keys)s::text[], %(categories)s::text[]) AS n (key, category)
               WHERE e.object = %(object)s AND e.target = %(target)s AND e.kind = 'difference' AND e.state <> 'closed'
                 AND e.key = n.key AND e.category <> n.category""",
            {
                "keys": [row["key"] for row in rows],
                "categories": [row["category"] for row in rows],
                "object": pair.definition.name,
                "target": pair.target.name,
            },
        )
        raise_exceptions(session, pair.flow.name, pair.definition.name, run, raised)


def close_matters(pair: Pair, keys: Sequence[str], resolution: str) -> None:
    """Close what is open about `keys`."""
    if keys:
        with pair.accord.hub.session() as session:
            session.execute(
                _CLOSE,
                {
                    "object": pair.definition.name,
                    "target": pair.target.name,
                    "keys": list(keys),
                    "resolution": resolution,
                },
            )


def close_others(pair: Pair, doubtful: pa.Array) -> None:
    """After everything was looked at, close what is open about records that are not `doubtful`."""
    place = {"flow": pair.flow.name, "object": pair.definition.name, "target": pair.target.name}
    with pair.accord.hub.session() as session:
        rows = session.execute(_OPEN, place).fetchall()
    keys = pa.array([row["key"] for row in rows], pa.string())
    close_matters(
        pair, keys.filter(pc.invert(pc.is_in(keys, value_set=doubtful))).to_pylist(), "both sides agree again"
    )


def _message(pair: Pair, row: Mapping[str, Any]) -> str:
    where = f" ({', '.join(row['fields'])})" if row["fields"] else ""
    stands = "It was corrected and still differs. " if row["outcome"] == Outcome.STANDS else ""
    return f"{stands}{row['class'].capitalize()}{where} in {pair.target.name}: {row['cause']}. Proposed: {row['correction']}."
