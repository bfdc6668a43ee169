"""What every source must do. An adapter inherits it, says which object it gives, and how its own users make, change and
remove a record there (`make`, `change`, `change_part`, `remove`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Source
from accord.records import content_hash, schema_of
from tests.fakes import CollectingSink
from tests.tables import by_key

DAY = timedelta(days=1)


class SourceSuite:
    """Any object."""

    definition: BusinessObject

    # ------------------------------------------------------------------------------------- what an adapter supplies
    @pytest.fixture
    def open_source(self) -> Callable[[], Source]:
        raise NotImplementedError("give a function that opens the adapter")

    def make(self, source: Source, number: int) -> str:
        """A complete record comes into being in the source; gives its native id."""
        raise NotImplementedError

    def change(self, source: Source, native: str) -> None:
        """A user of the source changes a value of the record itself."""
        raise NotImplementedError

    def change_part(self, source: Source, native: str) -> None:
        """A user of the source changes something that belongs to the record without touching its root row."""
        pytest.skip("its records have no parts")

    def remove(self, source: Source, native: str) -> None:
        """A user of the source removes the record, or ends doing business with it."""
        raise NotImplementedError

    def is_removed(self, row: dict[str, Any]) -> bool:
        """Whether a canonical row says that the record was removed."""
        return bool(row["gone"])

    # ------------------------------------------------------------------------------------------------------ helpers
    @pytest.fixture
    def source(self, open_source: Callable[[], Source]) -> Iterator[Source]:
        source = open_source()
        yield source
        source.close()

    def read(self, source: Source, **selection: Any) -> tuple[datetime, dict[str, dict[str, Any]]]:
        """When the read began, and the canonical rows by native id."""
        sink = CollectingSink()
        read_at = source.extract(self.definition, Selection(**selection), sink)
        if not any(t.num_rows for tables in sink.written.values() for t in tables):
            return read_at, {}
        table = source.to_canonical(self.definition, sink.chunk(), read_at)
        return read_at, {source.native_of(self.definition, key): row for key, row in by_key(table).items()}

    # -------------------------------------------------------------------------------------------------------- tests
    def test_gives_what_was_made(self, source: Source) -> None:
        natives = {self.make(source, 1), self.make(source, 2)}
        read_at, rows = self.read(source, natives=tuple(natives))
        assert set(rows) == natives
        for row in rows.values():
            assert row["problems"] in ([], None)
            assert row["gone"] is False
            assert row["version"] <= read_at
            missing = [f.name for f in self.definition.fields if f.required and row[f.name] is None]
            assert missing == []

    def test_reads_began_now_in_utc(self, source: Source) -> None:
        read_at, _ = self.read(source, natives=(self.make(source, 1),))
        assert read_at.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - read_at) < DAY

    def test_a_window_takes_what_changed_in_it(self, source: Source) -> None:
        still, moving = self.make(source, 1), self.make(source, 2)
        _, before = self.read(source, natives=(still, moving))
        since = max(row["version"] for row in before.values()) + timedelta(microseconds=1)
        self.change(source, moving)
        _, rows = self.read(source, since=since)
        assert moving in rows
        assert still not in rows
        assert rows[moving]["version"] >= since

    def test_a_window_takes_whole_roots_whose_parts_changed(self, source: Source) -> None:
        still, moving = self.make(source, 1), self.make(source, 2)
        _, before = self.read(source, natives=(still, moving))
        since = max(row["version"] for row in before.values()) + timedelta(microseconds=1)
        self.change_part(source, moving)
        _, rows = self.read(source, since=since)
        assert moving in rows
        assert still not in rows
        missing = [f.name for f in self.definition.fields if f.required and rows[moving][f.name] is None]
        assert missing == []

    def test_since_is_in_and_until_is_out(self, source: Source) -> None:
        native = self.make(source, 1)
        _, rows = self.read(source, natives=(native,))
        version = rows[native]["version"]
        assert native in self.read(source, since=version, until=version + DAY)[1]
        assert native not in self.read(source, since=version - DAY, until=version)[1]

    def test_a_record_belongs_to_the_window_of_its_last_change(self, source: Source) -> None:
        native = self.make(source, 1)
        versions = []
        for change in (lambda _source, _native: None, self.change, self.change_part):
            change(source, native)
            versions.append(self.read(source, natives=(native,))[1][native]["version"])
        assert versions == sorted(set(versions))
        assert self.read(source, since=versions[2])[1][native]["version"] == versions[2]
        # a root whose part changed later may be read in an earlier window too: as what it is now, with the version to match
        early = self.read(source, since=versions[0], until=versions[2])[1]
        assert native not in early or early[native]["version"] == versions[2]

    def test_an_open_window_takes_everything(self, source: Source) -> None:
        natives = {self.make(source, 1), self.make(source, 2)}
        assert natives <= set(self.read(source)[1])

    def test_an_empty_window_is_no_error(self, source: Source) -> None:
        sink = CollectingSink()
        long_ago = datetime(1990, 1, 1, tzinfo=UTC)
        source.extract(self.definition, Selection(since=long_ago, until=long_ago + DAY), sink)
        assert sink.expected == 0
        assert sum(t.num_rows for tables in sink.written.values() for t in tables) == 0

    def test_removed_ones_are_told(self, source: Source) -> None:
        native = self.make(source, 1)
        _, rows = self.read(source, natives=(native,))
        since = rows[native]["version"] + timedelta(microseconds=1)
        self.remove(source, native)
        assert self.is_removed(self.read(source, since=since)[1][native])

    def test_the_same_record_read_twice_has_the_same_content(self, source: Source) -> None:
        native = self.make(source, 1)
        hashes = []
        for selection in ({"natives": (native,)}, {"since": datetime.now(UTC) - DAY}):
            _, rows = self.read(source, **selection)
            row = {k: v for k, v in rows[native].items() if k != "problems"}
            table = pa.Table.from_pylist([row], schema=schema_of(self.definition))
            names = [f.name for f in self.definition.fields] + [c.name for c in self.definition.constituents]
            hashes.append((row["version"], content_hash(self.definition, table, names)[0].as_py()))
        assert hashes[0] == hashes[1]

    def test_staged_rows_have_the_columns_that_are_required(self, source: Source) -> None:
        sink = CollectingSink()
        source.extract(self.definition, Selection(natives=(self.make(source, 1),)), sink)
        required = source.required_columns(self.definition)
        assert required
        for part, table in sink.chunk().items():
            assert {name: table.schema.field(name).type for name in required[part]} == dict(required[part])

    def test_says_how_many_roots_will_come(self, source: Source) -> None:
        natives = (self.make(source, 1), self.make(source, 2))
        sink = CollectingSink()
        source.extract(self.definition, Selection(natives=natives), sink)
        assert sink.expected is not None
        assert set().union(*map(set, sink.roots.values())) == set(natives)

    def test_canonical_columns_are_exact(self, source: Source) -> None:
        sink = CollectingSink()
        read_at = source.extract(self.definition, Selection(natives=(self.make(source, 1),)), sink)
        table = source.to_canonical(self.definition, sink.chunk(), read_at)
        expected = schema_of(self.definition).append(pa.field("problems", pa.list_(pa.string())))
        assert table.schema.names == expected.names
        assert [f.type for f in table.schema] == [f.type for f in expected]
