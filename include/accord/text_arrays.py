"""Long lists of text on their way to PostgreSQL: psycopg's own dumper calls three functions per element."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.array import ListDumper

_TEXTS = {str, type(None)}


class _Texts(ListDumper):
    """As psycopg's, with the literal of a flat list of text made as one text.

    PostgreSQL, "Array Input and Output Syntax": elements in double quotes, `"` and `\\` escaped by `\\`; NULL is null.
    """

    def dump(self, obj: list[Any]) -> Any:
        if self.sub_dumper is None or not {type(one) for one in obj} <= _TEXTS:
            return super().dump(obj)
        texts = ("NULL" if one is None else '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in obj)
        return self.sub_dumper.dump("{" + ",".join(texts) + "}")  # which refuses U+0000, and encodes


def dump_quickly(connection: psycopg.Connection[Any]) -> None:
    """Have `connection` write lists of text that way."""
    connection.adapters.register_dumper(list, _Texts)
