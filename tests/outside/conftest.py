"""A local org as a process of its own, for clients that nobody here wrote."""

from collections.abc import Iterator

import pytest

from tests.salesforce_org import Org, start_org


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    org = start_org(tmp_path_factory.mktemp("salesforce"))
    yield org
    org.stop()


@pytest.fixture
def org(server: Org, monkeypatch: pytest.MonkeyPatch) -> Org:
    """The module's org, emptied, and trusted by this process's HTTP clients."""
    server.reset()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.certificate))
    return server
