"""What Salesforce can't tell apart, made equal before it is hashed, sent or compared."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Flag, Money
from accord.systems.collapsing import collapse_text, flat

_PLACES = 2  # of the org's currency fields


def collapsed(definition: BusinessObject, table: pa.Table) -> pa.Table:
    """Text without blanks around it, empty as null; a box that is not there is not checked; money has two places."""
    table = collapse_text(definition, table)
    for field in definition.fields:
        place = table.column_names.index(field.name)
        match field.type:
            case Flag():
                table = table.set_column(place, field.name, pc.fill_null(flat(table[field.name]), False))
            case Money():
                column = flat(table[field.name])
                exact = pc.round(column, ndigits=_PLACES, round_mode="half_towards_infinity").cast(column.type)
                table = table.set_column(place, field.name, exact)
            case _:
                pass
    return table
