"""What a connection may say, and that nothing secret shows."""

from datetime import timedelta

import pytest

from accord.errors import BadCredentials, Stop
from accord.settings import Connection
from accord.systems.salesforce.adapter import open_salesforce
from accord.systems.salesforce.options import options_of


def options(host="", **extra):
    return options_of(Connection(id="accord_salesforce", kind="salesforce", host=host, login="me", extra=extra))


def test_defaults_are_made_for_a_real_org():
    found = options(consumer_key="k", consumer_secret="s")
    assert found.login_url == "https://login.salesforce.com"
    assert found.longest_request == timedelta(minutes=10)
    assert (found.bulk_threshold, found.verify, found.api_version) == (2000, True, "")


def test_urls_versions_and_bundles():
    assert options(login_url="https://acme.my.salesforce.com/").login_url == "https://acme.my.salesforce.com"
    assert options(host="acme.my.salesforce.com").login_url == "https://acme.my.salesforce.com"
    assert options(domain="test").login_url == "https://test.salesforce.com"
    assert options(api_version="64").api_version == options(api_version="v64.0").api_version == "v64.0"
    assert options(verify="/etc/bundle.pem").verify == "/etc/bundle.pem"
    assert options(verify="false").verify is False


def test_secrets_do_not_show():
    text = repr(options(consumer_secret="hush", private_key="hush", session_id="hush"))
    assert "hush" not in text


@pytest.mark.parametrize(
    "extra", [{"bulk_threshold": "many"}, {"api_version": "newest"}, {"login_url": "http://acme.com"}]
)
def test_what_is_unusable_stops_with_a_cure(extra):
    with pytest.raises(Stop) as stopped:
        options(**extra)
    assert stopped.value.cure


def test_tokens_may_go_in_the_clear_on_this_machine_only():
    assert options(login_url="http://127.0.0.1:8080").login_url == "http://127.0.0.1:8080"
    with pytest.raises(Stop, match="in the clear"):
        options(session_id="s", instance_url="http://acme.my.salesforce.com")


def test_opening_connects_to_nothing_and_a_connection_without_a_login_says_so():
    adapter = open_salesforce("salesforce", Connection(id="accord_salesforce", extra={"consumer_key": "k"}))
    with pytest.raises(BadCredentials, match="no way to log in"):
        adapter.client.login()
    adapter.close()
