"""`accord doctor` for interface tables: login, relations and columns, rights, companies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from accord.errors import AccordError
from accord.ports import Check
from accord.routing import entities_in
from accord.systems.erp import Handler, all_needs
from accord.systems.interface_tables.contract import CALL, COMPANIES
from accord.systems.interface_tables.session import Session

_INSTALL = "Have the ERP's owners install what docs/interface-tables.md lists."


def check_tables(session: Session, system: str, handlers: Iterable[Handler[Any]]) -> Iterator[Check]:
    """One line for the login, each relation and procedure the handlers need, and each company."""
    try:
        with session.transaction() as cursor:
            version = cursor.execute("SHOW server_version").fetchone()
            yield Check(subject=f"{system}: login", ok=True, found=f"PostgreSQL {version[0] if version else '?'}")
            for name, columns in (COMPANIES | all_needs(handlers)).items():
                yield _procedure(cursor, system, name) if not columns else _relation(cursor, system, name, columns)
            yield from _companies(cursor, system)
    except AccordError as error:
        yield Check(
            subject=f"{system}: connection", ok=False, found=type(error).__name__, cure=error.cure or str(error)
        )


def _relation(cursor: Any, system: str, relation: str, columns: tuple[str, ...]) -> Check:
    subject = f"{system}: {relation}"
    known = cursor.execute(
        "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped",
        [relation],
    ).fetchall()
    if not known:
        return Check(subject=subject, ok=False, found="is not there", cure=_INSTALL)
    missing = sorted(set(columns) - {name for (name,) in known})
    if missing:
        return Check(subject=subject, ok=False, found=f"lacks {', '.join(missing)}", cure=_INSTALL)
    rights = ("SELECT", "INSERT", "DELETE") if relation.startswith("inbound.") else ("SELECT",)
    lacking = [
        right
        for right in rights
        if not cursor.execute("SELECT has_table_privilege(%s, %s)", [relation, right]).fetchone()[0]
    ]
    if lacking:
        cure = f"GRANT {', '.join(lacking)} ON {relation} to the integration user."
        return Check(subject=subject, ok=False, found=f"no right to {', '.join(lacking)}", cure=cure)
    return Check(subject=subject, ok=True, found=f"{len(columns)} columns")


def _procedure(cursor: Any, system: str, signature: str) -> Check:
    subject = f"{system}: {signature.removesuffix(CALL)}"
    there = cursor.execute("SELECT to_regprocedure(%s)::oid", [signature]).fetchone()
    if not there or there[0] is None:
        return Check(subject=subject, ok=False, found="is not there", cure=_INSTALL)
    if not cursor.execute("SELECT has_function_privilege(%s::oid, 'EXECUTE')", [there[0]]).fetchone()[0]:
        cure = f"GRANT EXECUTE ON PROCEDURE {signature} to the integration user."
        return Check(subject=subject, ok=False, found="no right to call it", cure=cure)
    return Check(subject=subject, ok=True, found="may be called")


def _companies(cursor: Any, system: str) -> Iterator[Check]:
    if cursor.execute("SELECT to_regclass('outbound.company')").fetchone()[0] is None:
        return
    known = dict(cursor.execute("SELECT code, currency FROM outbound.company").fetchall())
    for entity in entities_in(system):
        subject = f"{system}: company {entity.company}"
        if entity.company not in known:
            yield Check(subject=subject, ok=False, found="is not there", cure="Create it, or correct the routing.")
        elif known[entity.company] != entity.currency:
            found = f"keeps its books in {known[entity.company]}, not {entity.currency}"
            yield Check(subject=subject, ok=False, found=found, cure="Correct the routing's currency.")
        else:
            yield Check(subject=subject, ok=True, found=f"legal entity {entity.code}, {entity.currency}")
