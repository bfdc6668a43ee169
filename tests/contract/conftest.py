"""The contract layer's services, and assertions in the suites that explain themselves like those of a test file."""

import pytest

from tests.stack import postgres_server as postgres_server
from tests.stack import stack as stack
from tests.stack import tryton as tryton

pytest.register_assert_rewrite(
    "tests.contract.target_suite", "tests.contract.source_suite", "tests.contract.reach_suite"
)
