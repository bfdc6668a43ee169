"""trytond-admin, which sets up a database with modules, in a quarter of its time. Run by the Python of Tryton's environment, with
TRYTOND_CONFIG in the environment: Tryton chooses its database's kind when it is imported.

Tryton asks information_schema for a table's foreign keys after each change of the table. All of it happens in one transaction,
of whose hundreds of new tables PostgreSQL has no statistics yet: it answers by scanning every column of the database for each
foreign key, two thirds of the whole time. The catalog itself, asked for the one table, answers at once.

And it holds every record against the rules of its model. What is set up here are the records the modules ship.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from trytond.backend.postgresql.table import TableHandler
from trytond.cli.admin import main
from trytond.model import ModelStorage
from trytond.transaction import Transaction

# pg_constraint's letters in the words of information_schema.referential_constraints
_FOREIGN_KEYS = """
SELECT c.conname, a.attname,
  CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
    WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
WHERE c.contype = 'f' AND r.relname = %s AND n.nspname = %s
"""
_KEPT = "_TableHandler__fk_deltypes"  # where Tryton keeps the answer, and forgets it when the table changes


def _foreign_keys(table: Any) -> dict[tuple[str, str], str]:
    if getattr(table, _KEPT) is None:
        cursor = Transaction().connection.cursor()
        cursor.execute(_FOREIGN_KEYS, (table.table_name, table.table_schema))
        setattr(table, _KEPT, {(name, column): rule for name, column, rule in cursor})
    return dict(getattr(table, _KEPT))


def _well(model: Any, records: Any, field_names: Any = None) -> None:
    """Takes records as they are."""


if __name__ == "__main__":
    TableHandler._fk_deltypes = property(_foreign_keys)
    ModelStorage._validate = classmethod(_well)
    gc.disable()  # all it makes stays until it ends, which looking for garbage only delays
    sys.exit(main())
