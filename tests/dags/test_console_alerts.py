"""The page of an alert: all that its mail says, and links that lead on."""

from __future__ import annotations

import re

from tests.dags.conftest import ROOT
from tests.dags.console import CUSTOMERS, Browsers
from tests.dags.world import World


def test_an_alert_s_page_says_what_its_mail_says(filled: World, browser: Browsers) -> None:
    page = browser("viewer").get("alerts/1/").text
    facts = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page))
    assert facts["What"] == f"data freshness of {CUSTOMERS} (customer), tier standard"
    assert (facts["Allowed"], facts["Actual"], facts["Late by"]) == ("30 min", "2 h", "1 h")
    assert facts["Owner"] == "integration"
    assert facts["Escalated"] == "unless acknowledged within 2 h"
    assert facts["Key"] == f"local:{CUSTOMERS}:data freshness:customer:30m"
    assert "New customers can&#39;t be sold to" in page
    assert page.count("<li>", page.index("First actions"), page.index("Facts")) == 3
    (runbook,) = re.findall(r"<code>(docs/runbooks/[^<]+)</code>", page)
    assert (ROOT / runbook).is_file(), "as in a mail"
    assert 'href="/accord/exceptions/1/"' in page
