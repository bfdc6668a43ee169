"""Sessions with the hub share a connection as far as that is safe."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from accord.errors import Unavailable
from accord.hub import Hub
from accord.hub.connection import make_room, only
from accord.settings import Connection, dsn
from tests.hub import HubServer


@pytest.fixture
def sessions(hub: Connection) -> Iterator[Hub]:
    found = Hub(dsn(hub))
    yield found
    found.close()


def backend(hub: Hub) -> int:
    """The process of the server that serves a session now."""
    with hub.session() as session:
        return int(only(session.execute("SELECT pg_backend_pid() AS pid"))["pid"])


def test_one_after_the_other_share_one(sessions: Hub) -> None:
    assert backend(sessions) == backend(sessions)


def test_at_the_same_time_they_do_not(sessions: Hub) -> None:
    with sessions.session() as session:
        outer = int(only(session.execute("SELECT pg_backend_pid() AS pid"))["pid"])
        assert backend(sessions) != outer


def test_after_an_error_nobody_gets_it_again(sessions: Hub) -> None:
    before = backend(sessions)
    with pytest.raises(psycopg.errors.DivisionByZero), sessions.session() as session:
        session.execute("SELECT 1 / 0")
    assert backend(sessions) != before


def test_lists_arrive_as_they_are(sessions: Hub) -> None:
    texts = ["a", None, "", "NULL", " b ", "c,d", '"e"', "f\\", "{g}", "h\ni", "ünï"]
    with sessions.session() as session:
        given = {"texts": texts, "numbers": [1, None], "nested": [["x"], ["y,"]], "nothing": [None], "none": []}
        row = only(
            session.execute(
                """SELECT %(texts)s::text[] AS texts, %(numbers)s::int[] AS numbers, %(nested)s::text[] AS nested,
                     %(nothing)s::text[] AS nothing, %(none)s::text[] AS none""",
                given,
            )
        )
    assert row == given


def test_room_in_memory_is_made_for_one_transaction_and_never_taken(sessions: Hub) -> None:
    def room(first: str = "SELECT") -> tuple[str, str]:
        with sessions.session() as session:
            session.execute(first.encode())
            make_room(session)
            inside = only(session.execute("SELECT current_setting('work_mem') AS room"))["room"]
        with sessions.session() as session:
            return inside, only(session.execute("SELECT current_setting('work_mem') AS room"))["room"]

    assert room("SET LOCAL work_mem = '4MB'")[0] == "64MB"
    assert room("SET LOCAL work_mem = '1GB'")[0] == "1GB"
    inside, after = room()
    assert (inside, after != inside) == ("64MB", True)


def test_a_text_postgresql_cant_store_is_refused_before_it_is_sent(sessions: Hub) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"), sessions.session() as session:
        session.execute("SELECT %s::text[]", [["a\x00b", "c"]])


def test_one_the_server_ended_is_replaced(sessions: Hub, hub_server: HubServer) -> None:
    ended = backend(sessions)
    with psycopg.connect(hub_server.server.dsn("postgres"), autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    assert backend(sessions) != ended


def test_one_the_server_ends_meanwhile_is_a_hub_that_is_away(sessions: Hub) -> None:
    with pytest.raises(Unavailable), sessions.session() as session:
        session.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_fork_leaves_its_parents_alone(sessions: Hub) -> None:
    parents = backend(sessions)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if backend(sessions) != parents else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert backend(sessions) == parents
