"""The words in which a quality rule is declared. A rule is one Great Expectations expectation, with what it means to the
business: who owns it, what a failure leads to, and how many failures are too many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any

from accord.batch import RECORDS
from accord.categories import HANDLING, Category, Queue
from accord.objects.definition import BusinessObject

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE = "source"
CANONICAL = "canonical"
ROOT = "_root"  # names the root a row of a part belongs to
ROW = "_row"  # the place of that root in its table
REPEATED = "_repeated"  # whether the row's key occurs again in its chunk

IN_SET = "expect_column_values_to_be_in_set"
NOT_NULL = "expect_column_values_to_not_be_null"
LENGTHS = "expect_column_value_lengths_to_be_between"
BETWEEN = "expect_column_values_to_be_between"
HAS_COLUMNS = "expect_table_columns_to_match_set"
ROW_COUNT = "expect_table_row_count_to_be_between"


class Severity(StrEnum):
    """What a failing record meets (Great Expectations' own words)."""

    WARNING = "warning"  # reviewers see it, the record goes on
    CRITICAL = "critical"  # the record is quarantined


class Scope(StrEnum):
    """What a rule looks at."""

    STRUCTURE = "structure"  # the columns of a part and their kinds
    CHUNK = "chunk"  # rows, one chunk at a time
    BATCH = "batch"  # the columns it needs, of the whole batch at once: they are all in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """More than `share` (0–1) failing stops the batch; shares of fewer than `least` rows say nothing and stop nothing."""

    share: float
    least: int = 50

    def exceeded(self, failed: int, checked: int) -> bool:
        """Whether `failed` of `checked` rows are too many."""
        return checked >= self.least and failed > self.share * checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What a count is held against: at least `share` (0–1) of the median of up to `runs` earlier comparable runs. Fewer than `least`
    of them say nothing yet, and neither does a median below `floor`: few records come and go by chance."""

    share: float
    floor: int = 50
    least: int = 5
    runs: int = 20

    def fewest(self, earlier: Sequence[int]) -> tuple[int, float] | None:
        """The fewest records that are no drop, and the median of `earlier` counts (newest first); None when they say nothing."""
        counted = earlier[: self.runs]
        if len(counted) < self.least:
            return None
        middle = median(counted)
        return None if middle < self.floor else (ceil(self.share * middle), middle)


ANY = Threshold(share=0.0, least=0)  # a single failure stops the batch
ALL = Threshold(share=1.0)  # however many fail, the others go on
USUAL = Threshold(share=0.25)
HALF = Threshold(share=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    `name` identifies it within its suite, and a hand-written rule replaces the derived one of the same name. `title` says what
    must hold, `finding` what is wrong with a record that fails, `consequence` what the failure means to the business: none of
    them holds a value. `needs` are the columns of `part` it reads.

    What is expected is either a Great Expectations `expectation` with its `arguments`, or a function `holds` from the part's
    rows to booleans (null = does not apply), which is expected to be true.

    Deleted records are exempt unless `gone_too`. `path` is the field the rule is about: a value that could not be converted is
    reported as that, not as missing too. `among` is a column without which a row can't fail a rule of the batch: such rows are not
    kept for it. `detail` names a `list<string>` column that holds the finding of each record.
    `usual` makes a count rule, held against the counts of earlier runs. A record that fails an `approvable` rule waits for
    somebody's approval instead of a correction.
    """

    name: str
    title: str
    finding: str
    consequence: str
    category: Category
    needs: tuple[str, ...]
    part: str = RECORDS
    expectation: str = IN_SET
    arguments: Mapping[str, Any] = field(default_factory=dict)
    holds: Callable[[pa.Table], pa.Array] | None = None
    severity: Severity = Severity.CRITICAL
    threshold: Threshold = USUAL
    scope: Scope = Scope.CHUNK
    gone_too: bool = False
    path: str = ""
    among: str = ""
    detail: str = ""
    usual: Usual | None = None
    owner: Queue | None = None
    approvable: bool = False

    def __post_init__(self) -> None:
        if self.holds and self.expectation != IN_SET:
            raise ValueError(f"rule {self.name} has both an expectation and a function; keep one")

    @property
    def queue(self) -> Queue:
        """Who works its failures: the declared owner, else the category's."""
        return self.owner or HANDLING[self.category].queue

    @property
    def kwargs(self) -> dict[str, Any]:
        """The expectation's arguments."""
        return {"column": self.name, "value_set": [True]} if self.holds else dict(self.arguments)

    @property
    def of_rows(self) -> bool:
        """Whether single rows fail it (else the whole table does)."""
        return self.expectation not in (HAS_COLUMNS, ROW_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Every rule of one gate. `total` bounds the share of records that may fail at all."""

    object: BusinessObject
    stage: str
    rules: tuple[Rule, ...]
    total: Threshold = HALF

    @property
    def name(self) -> str:
        """The suite's name in reports: object and stage."""
        return f"{self.object.name}.{self.stage}"

    def of_chosen(self) -> Suite:
        """The suite for records somebody chose: what share of those fails says nothing about the source."""
        rules = (rule if rule.threshold == ANY else replace(rule, threshold=ALL) for rule in self.rules)
        return replace(self, rules=tuple(rules), total=ALL)

    @property
    def looks_back(self) -> int:
        """How many earlier runs its rules are held against."""
        return max((rule.usual.runs for rule in self.rules if rule.usual), default=0)
