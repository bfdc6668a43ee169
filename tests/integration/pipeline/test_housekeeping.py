"""What is kept no longer goes, by table and sensitivity; a person is erased on request and the figures stay."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from accord.errors import Stop
from accord.exceptions import discard
from accord.forget import forget
from accord.housekeeping import housekeep
from accord.hub.audit import audit
from accord.hub.edits import Edit, store_edit
from accord.hub.partitions import make_ahead
from accord.hub.queue import Filter
from accord.hub.reviews import accept, comment, show
from accord.pipeline.undo import Step, plan
from accord.retention import HISTORY, HISTORY_OF_PERSONS
from accord.trace import trace
from tests.judging import RULE, judged
from tests.world import CUSTOMERS, World

pytestmark = pytest.mark.usefixtures("open_gates")

MARKED = {
    "phone": "MARKER1",
    "contacts": [
        {"id": "salesforce:C1", "last_name": "MARKER2", "email": "MARKER3"},
        {"id": "salesforce:C2", "last_name": "Stays"},
    ],
}


def dump(world: World) -> str:
    """Every value in every table of the hub."""
    tables = world.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    whole = []
    with world.kept[0].session() as session:
        for table in tables:
            query = sql.SQL("SELECT t::text AS row FROM {} t").format(sql.Identifier(table["name"]))
            whole += [row["row"] for row in session.execute(query).fetchall()]
    return "\n".join(whole)


def do(world: World, statement: str) -> None:
    with world.kept[0].session() as session:
        session.execute(statement.encode())


def staged(world: World) -> list[str]:
    return [str(path) for path in (world.folder / "staging").rglob("*") if path.is_file()]


def age(world: World, by: timedelta) -> None:
    """Everything so far happened `by` earlier."""
    world.rows("UPDATE delivery SET at = at - %s RETURNING key", by)
    world.rows("UPDATE change SET at = at - %s RETURNING key", by)
    world.rows("UPDATE dispatch SET opened = opened - %s, closed = closed - %s RETURNING id", by, by)
    world.rows("UPDATE run SET started = started - %s, ended = ended - %s RETURNING id", by, by)
    world.rows("UPDATE exception SET closed = closed - %s RETURNING id", by)


def edited(world: World, key: str, path: str) -> None:
    """Somebody set a value by hand, which is in force."""
    edit = Edit(said=b"", read_at=world.clock, fields={path: "MARKER5"})
    with world.kept[0].session() as session:
        store_edit(session, "customer", key, edit, who="ann", why="MARKER6")
        audit(session, "ann", "record edited", [f"customer {key}"], {"why": "MARKER6"})


def test_partitions_are_made_ahead_and_rows_go_into_them(world: World) -> None:
    names = {row["tablename"] for row in world.rows("SELECT tablename FROM pg_tables")}
    month = datetime.now(UTC)
    for table in ("delivery", "change_plain", "change_personal"):
        assert f"{table}_{month:%Y_%m}" in names
    world.customer("1", phone="x")
    world.run()
    for table in ("delivery_rest", "change_plain_rest", "change_personal_rest"):
        assert not world.rows(f"SELECT FROM {table}")

    do(world, f"DROP TABLE delivery_{month:%Y_%m}")
    world.customer("2")
    world.run()
    assert world.rows("SELECT FROM delivery_rest"), "without its month a row is not lost"
    with world.kept[0].session() as session:
        assert make_ahead(session) == [f"delivery_{month:%Y_%m}"]
    assert not world.rows("SELECT FROM delivery_rest")
    assert world.rows(f"SELECT FROM delivery_{month:%Y_%m}")


def test_history_goes_by_sensitivity(world: World) -> None:
    key = world.customer("1", **MARKED)
    world.run()
    bad = world.rows("SELECT id FROM run")[0]["id"]
    age(world, HISTORY_OF_PERSONS + timedelta(days=40))
    before = dump(world)
    dry = housekeep(world.accord(), dry_run=True)
    assert dump(world) == before, "a dry run deletes nothing"
    done = housekeep(world.accord())
    assert (done.dropped, done.rows) == (dry.dropped, dry.rows)
    assert not world.rows("SELECT FROM change WHERE personal")
    assert world.rows("SELECT FROM change WHERE NOT personal")
    assert world.rows("SELECT personal ->> 'phone' AS phone FROM image WHERE personal <> '{}'")[0]["phone"] == "MARKER1"
    with pytest.raises(Stop, match="older than the history"):
        plan(world.accord(), bad)

    age(world, HISTORY)
    housekeep(world.accord())
    assert not world.rows("SELECT FROM delivery")
    assert not world.rows("SELECT FROM change")
    assert world.rows("SELECT FROM image WHERE key = %s", key), "the present stays"
    assert world.rows("SELECT FROM run"), "what an image comes from stays"
    writes = world.writes()
    world.run(engine_run="after housekeeping")
    assert world.writes() == writes, "nobody forgot what was sent"


def test_old_months_are_dropped_whole(world: World) -> None:
    do(world, "CREATE TABLE delivery_2020_01 PARTITION OF delivery FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')")
    assert housekeep(world.accord(), dry_run=True).dropped == {"delivery_2020_01": 0}
    housekeep(world.accord())
    assert not world.rows("SELECT FROM pg_tables WHERE tablename = 'delivery_2020_01'")


def test_staged_files_and_reports_go(world: World) -> None:
    world.customer("1")
    world.run()
    left = world.folder / "staging" / CUSTOMERS.name / str(world.rows("SELECT id FROM run")[0]["id"])
    left.mkdir(parents=True)
    (left / "left.parquet").write_text("MARKER")
    old, new = (Path(world.accord().reports) / name for name in ("old.html", "new.html"))
    old.parent.mkdir(parents=True, exist_ok=True)
    for page in (old, new):
        page.write_text("x")
    os.utime(old, (0, time.time() - 91 * 86400))
    done = housekeep(world.accord())
    assert (done.staged, done.reports) == (0, 1), "a run's files are kept for a day"
    age(world, timedelta(days=2))
    assert housekeep(world.accord()).staged == 1
    assert (staged(world), old.exists(), new.exists()) == ([], False, True)


def test_a_customer_is_forgotten_and_the_figures_stay(world: World) -> None:
    key, other = world.customer("1", **MARKED), world.customer("2", phone="MARKER9")
    world.run()
    world.change("1", phone="MARKER4")
    changed = world.run()["run"]
    # a run that failed left its files
    left = world.folder / "staging" / CUSTOMERS.name / str(changed)
    left.mkdir(parents=True)
    (left / "left.parquet").write_text("MARKER")
    figures = world.rows("SELECT counts FROM run ORDER BY id")
    edited(world, key, "phone")

    dry = forget(world.accord(), key, who="somebody")
    assert "MARKER4" in dump(world)
    assert staged(world)
    done = forget(world.accord(), key, who="somebody", dry_run=False)
    assert (done["rows"], done["records"]) == (dry["rows"], [key])
    assert (dry["staged"], done["staged"], done["staged_in_use"]) == (1, 1, 0)
    whole = dump(world)
    assert [
        marker for marker in ("MARKER1", "MARKER2", "MARKER3", "MARKER4", "MARKER5", "MARKER6") if marker in whole
    ] == []
    assert "MARKER9" in whole, f"{other} is somebody else"
    assert not staged(world)
    assert world.rows("SELECT counts FROM run ORDER BY id") == figures
    assert len(world.rows("SELECT FROM delivery WHERE key = %s", key)) >= 2
    assert trace(world.accord(), key, values=True).events
    (note,) = world.rows("SELECT who, subject, detail FROM audit WHERE what = 'forgotten'")
    assert (note["who"], note["subject"]) == ("somebody", key)
    assert "MARKER" not in str(note)
    (one,) = [one for one in plan(world.accord(), changed) if one.target == "tryton"]
    assert (one.step, one.why) == (Step.LEAVE, "its personal values were erased on request")


def reviewed(world: World, key: str, **how: Any) -> int:
    """A rule the record failed, and what people said about it; the number of its review."""
    run = judged(world.accord(), CUSTOMERS, f"{key} failed", {key: None}, **how)
    (review,) = world.rows("SELECT id FROM review WHERE run = %s", run)
    comment(world.kept[0], review["id"], text="MARKER7 moved", who="ann")
    accept(world.kept[0], review["id"], days=3, why="MARKER8 said so", who="ann")
    assert "MARKER7" in dump(world)
    return int(review["id"])


@pytest.mark.parametrize(
    ("asked", "by"), [("salesforce:1", "exception"), ("salesforce:C1", "finding"), ("salesforce:1", "sample")]
)
def test_what_people_wrote_in_reviews_and_about_exceptions_goes_too(world: World, asked: str, by: str) -> None:
    key, other = world.customer("1", **MARKED), world.customer("2")
    world.run()
    edited(world, key, "phone")
    number = reviewed(world, key)
    elsewhere = reviewed(world, other, rule=replace(RULE, rule="another"))
    (held,) = world.rows("SELECT id FROM exception WHERE key = %s", key)
    discard(world.accord(), Filter(ids=(held["id"],)), who="ann", why="MARKER9 is known")
    # whatever of the three is kept longest says that the record was concerned
    for table, statement in {
        "exception": "UPDATE exception SET rule = NULL WHERE rule = 'total.sum'",
        "finding": "DELETE FROM finding",
        "sample": "UPDATE gate_result SET samples = '[]' WHERE rule = 'total.sum'",
    }.items():
        if table != by:
            do(world, statement)
    dry = forget(world.accord(), asked, who="somebody")
    assert "MARKER7" in dump(world)
    done = forget(world.accord(), asked, who="somebody", dry_run=False)
    assert done["rows"] == dry["rows"]
    left = show(world.kept[0], number)
    assert (left["comments"][0]["text"], left["accepted_why"], left["state"]) == ("(erased)", "", "accepted")
    assert show(world.kept[0], elsewhere)["accepted_why"] == "MARKER8 said so", (
        "nobody failed that rule whom this is about"
    )
    whole = "\n".join(line for line in dump(world).splitlines() if f"review:{elsewhere}" not in line)
    assert [marker for marker in ("MARKER6", "MARKER9") if marker in whole] == []
    assert whole.count("MARKER7") == whole.count("MARKER8") == 1, "those of the other rule"


def test_a_contact_is_forgotten_alone(world: World) -> None:
    key = world.customer("1", **MARKED)
    world.run()
    edited(world, key, "contacts[salesforce:C1].email")
    done = forget(world.accord(), "salesforce:C1", who="somebody", dry_run=False)
    assert done["records"] == ["salesforce:1"]
    whole = dump(world)
    assert "MARKER2" not in whole
    assert "MARKER3" not in whole
    assert "MARKER5" not in whole
    assert "Stays" in whole
    assert "MARKER1" in whole
    with pytest.raises(Stop, match="Nothing is known of salesforce:C9"):
        forget(world.accord(), "salesforce:C9", who="somebody")
