"""How long what is kept, by table and sensitivity. One place; `docs/retention.md` says the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

HISTORY = timedelta(days=400)  # a business year, and time to close it
DEEDS = timedelta(days=3650)  # what people decided and did
HISTORY_OF_PERSONS = timedelta(days=90)  # what personal values were; what they are stays with the record's image


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitioned:
    """A table partitioned by month, whose months are dropped whole once all of a month is older than `keep`."""

    table: str
    keep: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A table whose rows go one by one: those of `where` (SQL, about an alias `t`) once `age` (SQL) is older than `keep`."""

    table: str
    keep: timedelta
    age: str
    where: str = "true"


PARTITIONED = (
    Partitioned(table="delivery", keep=HISTORY),
    Partitioned(table="change_plain", keep=HISTORY),
    Partitioned(table="change_personal", keep=HISTORY_OF_PERSONS),
)

# in this order: what refers to a run goes before it. Links, images, processes, identities, edits and decisions about
# duplicates are the present, and stay
ROWS = (
    # what was discarded holds until the source says something else
    Rows(table="exception", keep=HISTORY, age="t.closed", where="t.state = 'closed' AND NOT t.discarded"),
    Rows(table="process_event", keep=HISTORY, age="t.at"),
    Rows(
        table="dispatch",
        keep=HISTORY,
        age="t.closed",
        where="t.closed IS NOT NULL AND NOT EXISTS (SELECT FROM image i WHERE i.dispatch = t.id)",
    ),
    # findings, gate results, verdicts, reviews and comparisons go with their run
    Rows(
        table="run",
        keep=HISTORY,
        age="t.ended",
        where="t.state <> 'open' AND NOT EXISTS (SELECT FROM dispatch d WHERE d.run = t.id) "
        "AND NOT EXISTS (SELECT FROM run u WHERE u.undoes = t.id)",
    ),
    Rows(table="reconciliation", keep=HISTORY, age="t.started"),  # its differences go with it
    Rows(table="alert", keep=HISTORY, age="t.recovered", where="t.state = 'recovered'"),  # its notices go with it
    Rows(table="kpi_value", keep=HISTORY, age="t.at"),
    Rows(table="digest", keep=HISTORY, age="t.sent"),
    Rows(table="approval", keep=DEEDS, age="t.at"),
    Rows(table="audit", keep=DEEDS, age="t.at"),
)

STAGED_FILES = timedelta(days=1)
REPORTS = timedelta(days=90)
