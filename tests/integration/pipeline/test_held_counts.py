"""What gates hold is counted by numbers that findings carry: the same as a look at every record by its names, whatever happens to it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg

from accord.categories import Category
from accord.exceptions import discard
from accord.flows import flow
from accord.hub.gate_reports import gate_report
from accord.hub.queue import Filter
from accord.hub.reviews import reviews
from accord.quality.gate import Verdict
from accord.settings import dsn
from tests.judging import RULE, judged
from tests.world import World

ORDERS = flow("order__salesforce_to_erp")
A, B, C, D, E = (f"salesforce:{name}" for name in "abcde")
EUR, USD = ("100.00", "EUR"), ("7.50", "USD")
SAME = replace(RULE, rule="net.sum")  # in one matter with RULE
OTHER = replace(RULE, rule="due_date.past", category=Category.DATES)  # in a matter of its own

# the definition: of every finding, the last matter about its record that there was when the gate judged; of a record's, the first that
# is not settled
FATES = """
SELECT fate, count(*) AS n FROM (
  SELECT DISTINCT ON (key) CASE WHEN id IS NULL OR discarded THEN 'discarded' WHEN state = 'open' THEN 'still held'
    WHEN state = 'replaying' THEN 'being replayed' WHEN replay IS NOT NULL THEN 'replayed' ELSE 'released' END AS fate
  FROM (SELECT DISTINCT ON (f.key, f.category) f.key, e.* FROM finding f JOIN gate_verdict v USING (run, gate) LEFT JOIN LATERAL (
          SELECT id, state, discarded, replay FROM exception e
          WHERE e.object = 'order' AND e.target = '' AND e.key = f.key AND e.category = f.category AND e.opened <= v.at
          ORDER BY e.id DESC LIMIT 1) e ON true
        WHERE f.run = %s ORDER BY f.key, f.category) matter
  ORDER BY key, state = 'closed', id) one
GROUP BY fate
"""
# what is open for a rule: it is the exception's, or among what the record failed in the run that raised it
HELD = """
SELECT v.id, count(e.id) AS held, coalesce(sum(e.at_risk), 0) AS money FROM review v
JOIN gate_result g ON g.run = v.run AND g.gate = v.gate AND g.rule = v.rule
LEFT JOIN exception e ON e.flow = v.flow AND e.category = g.category AND e.target = '' AND e.state <> 'closed' AND (
  e.rule = v.rule OR EXISTS (SELECT FROM finding f WHERE f.run = e.run AND f.gate = v.gate AND f.key = e.key AND f.rule = v.rule))
WHERE v.closed IS NULL GROUP BY v.id ORDER BY v.id
"""


def counted(world: World) -> dict[int, dict[str, int]]:
    """Run → fate → records as the reports count them, once they and the reviews agree with a look at each."""
    told = {}
    with world.kept[0].session() as session:
        for row in world.rows("SELECT r.id, r.dry, v.verdict FROM run r JOIN gate_verdict v ON v.run = r.id"):
            report = gate_report(session, row["id"], "canonical")
            told[row["id"]] = dict(report.fates)
            assert Counter(one.fate for one in report.held) == report.fates, "one by one"
            assert sum(report.fates.values()) == report.quarantined
            if not row["dry"] and row["verdict"] == Verdict.QUARANTINE:
                assert {one["fate"]: one["n"] for one in world.rows(FATES, row["id"])} == report.fates, row["id"]
    listed = sorted(
        (row["id"], row["held"], sum(map(float, row["at_risk"].values()))) for row in reviews(world.accord().hub)
    )
    assert listed == [(row["id"], row["held"], float(row["money"])) for row in world.rows(HELD)]
    return told


def test_the_same_after_every_way_an_exception_can_change(world: World) -> None:
    accord = world.accord()

    def first() -> int:
        return judged(accord, ORDERS, "1", {A: EUR, B: EUR, C: USD, D: USD, E: EUR}, also={B: SAME, C: OTHER, E: SAME})

    def change(columns: str, key: str, more: str = "true") -> None:
        statement = f"UPDATE exception SET {columns} WHERE key = %s AND {more} RETURNING id"  # noqa: S608 - the test's own
        assert world.rows(statement, key)
        counted(world)

    one = first()
    assert counted(world) == {one: {"still held": 5}}
    assert first() == one
    assert counted(world) == {one: {"still held": 5}}, "a task that is tried again"

    change("state = 'replaying', replay = 1", B)
    change("state = 'open'", B)
    change("state = 'replaying', replay = 2", C, "category = 'dates out of order'")
    change("state = 'closed', closed = now()", C, "replay = 2")
    assert counted(world) == {one: {"still held": 5}}, "its other matter waits"
    change("state = 'closed', closed = now()", C, "state = 'open'")
    change("state = 'closed', closed = now()", A)
    (held,) = world.rows("SELECT id FROM exception WHERE key = %s", D)
    discard(accord, Filter(ids=(held["id"],)), who="ann", why="not ours")
    assert counted(world) == {one: {"still held": 2, "released": 2, "discarded": 1}}

    two = judged(accord, ORDERS, "2", {A: EUR, B: EUR, D: USD}, rule=SAME, also={A: OTHER})
    dry = judged(accord, ORDERS, "3", {A: EUR}, also={A: SAME}, dry=True)
    stop = judged(accord, ORDERS, "4", {A: EUR, B: EUR}, also={A: SAME}, verdict=Verdict.STOP)
    assert counted(world) == {
        one: {"still held": 2, "released": 2, "discarded": 1},
        two: {"still held": 3},
        dry: {"dry run": 1},
        stop: {"batch refused": 2},
    }
    change("discarded = false", D, "discarded")
    assert counted(world)[one] == {"still held": 2, "released": 3}, "somebody asked for it after all"
    change("answer = NULL, correlation = NULL", A)
    assert world.rows("DELETE FROM exception WHERE state = 'closed' RETURNING id")
    assert counted(world)[two] == {"still held": 3}
    assert world.rows("DELETE FROM run WHERE id = %s RETURNING id", one)
    assert counted(world)[two] == {"still held": 3}


def test_what_is_settled_while_a_gate_judges_is_not_what_it_holds(world: World) -> None:
    accord = world.accord()
    one = judged(accord, ORDERS, "1", {A: EUR}, also={A: SAME})
    with psycopg.connect(dsn(world.hub_connection)) as load, ThreadPoolExecutor(1) as gate:
        load.execute("UPDATE exception SET state = 'closed', closed = now()")
        judging = gate.submit(judged, accord, ORDERS, "2", {A: EUR}, also={A: SAME})
        while not judging.done() and not world.rows("SELECT FROM pg_locks WHERE NOT granted"):
            pass
        load.commit()
        two = judging.result()
    with world.kept[0].session() as session:
        told = {run: dict(gate_report(session, run, "canonical").fates) for run in (one, two)}
    assert told == {one: {"released": 1}, two: {"still held": 1}}
