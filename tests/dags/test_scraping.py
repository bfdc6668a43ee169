"""A scraper gets the figures by its token and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

from accord.hub import Hub
from accord.metrics.definitions import METRICS
from accord.metrics.values import measure
from accord_airflow.scraping import CONNECTION
from tests.dags.console import Console
from tests.dags.world import World

TOKEN = "made-up-token-of-the-tests"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def scraper(console: Console, world: World) -> Iterator[TestClient]:
    with console.browser(origin=None) as client:
        yield client


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The token is configured; the header that has it."""
    body = json.dumps({"conn_type": "generic", "password": TOKEN})
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", body)
    return {"authorization": f"Bearer {TOKEN}"}


def test_figures_are_read_by_both_parsers(scraper: TestClient, world: World, token: dict[str, str]) -> None:
    hub = Hub(world.dsn)
    with hub.session() as session:
        session.execute(
            "INSERT INTO process (name, key, step, opened) VALUES ('quote_to_cash', 'o', 'committed', now())"
        )
        session.execute("INSERT INTO flow (name, declaration, watermark) VALUES ('f', '{}', now() - interval '90 s')")
    measure(hub)
    answer = scraper.get("metrics", headers=token | {"accept": OPENMETRICS})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in openmetrics(answer.text)}
    pending = {sample.labels["status"]: sample.value for sample in families["accord_orders_pending"].samples}
    assert pending == {"open": 1, "held": 0}
    assert families["accord_hub_up"].samples[0].value == 1
    (age,) = families["accord_flow_watermark_age_seconds"].samples
    assert age.labels == {"flow": "f"}
    assert 90 <= age.value < 200
    assert families["accord_flow_watermark_age_seconds"].unit == "seconds"
    told = {name.removeprefix("accord_") for name in families} - {"hub_up", "metrics_taken_timestamp_seconds"}
    assert told <= set(METRICS)
    plain = {family.name for family in classic(scraper.get("metrics", headers=token).text)}
    assert plain == set(families)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer nö"])
def test_without_the_right_token_nothing_is_told(
    scraper: TestClient, token: dict[str, str], header: str | None
) -> None:
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    answer = scraper.get("metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "accord_" not in answer.text


def test_a_login_is_no_token(world: World, token: dict[str, str], browser: Callable[..., TestClient]) -> None:
    assert browser("admin").get("metrics").status_code == 401


@pytest.mark.parametrize("password", [None, ""])
def test_where_none_is_configured_no_token_opens(
    scraper: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, password: str | None
) -> None:
    name = f"AIRFLOW_CONN_{CONNECTION.upper()}"
    if password is None:
        monkeypatch.delenv(name, raising=False)
    else:
        monkeypatch.setenv(name, json.dumps({"conn_type": "generic", "password": password}))
    answer = scraper.get("metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404
    assert CONNECTION in caplog.text, "the cure is in the log"
    assert TOKEN not in caplog.text


def test_a_hub_that_is_away_is_told_as_a_figure(
    scraper: TestClient, token: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", "postgres://nobody@127.0.0.1:1/none")
    answer = scraper.get("metrics", headers=token | {"accept": OPENMETRICS})
    assert {family.name: family.samples[0].value for family in openmetrics(answer.text)} == {"accord_hub_up": 0}
