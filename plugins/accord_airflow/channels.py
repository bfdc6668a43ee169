"""Alert channels through Airflow's providers: their hooks know the connections, the secrets and the services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from accord.errors import AccordError, Retry

if TYPE_CHECKING:
    from accord.quality.digest import Digest, Mail
    from accord.service_levels.channels import Channel, Send
    from accord.service_levels.message import Message

_TIMEOUT_S = 10
_LONGEST_BLOCK = 2900  # Slack takes 3,000 characters (https://docs.slack.dev/reference/block-kit/blocks/section-block)
_ACTIONS = {"opened": "trigger", "escalated": "trigger", "acknowledged": "acknowledge", "recovered": "resolve"}


def sender(connections: Mapping[str, str] | None = None) -> Send:
    """What gives a message to a channel. Raises Retry, in our own words, when it was not taken: the services' errors hold addresses.

    Args:
        connections: Airflow connection ids to use instead of Accord's names.
    """
    ids = dict(connections or {})

    def send(channel: Channel, message: Message) -> None:
        with _in_our_words(channel):
            _WAYS[channel.kind](channel, ids.get(channel.connection, channel.connection), message)

    return send


@contextmanager
def _in_our_words(channel: Channel) -> Iterator[None]:
    try:
        yield
    except AccordError:
        raise
    except Exception as error:
        raise Retry(f"{channel.kind} took nothing ({_words(error)}).") from None


def _words(error: Exception) -> str:
    """What went wrong: the kind of error, and the service's number if it gave one."""
    response = getattr(error, "response", None)
    code = getattr(error, "smtp_code", None) or getattr(response, "status_code", None)
    return f"{type(error).__name__}{f' {code}' if code else ''}"


def mailer(connections: Mapping[str, str] | None = None) -> Mail:
    """What mails a digest to a channel of type smtp. Raises Retry as a `sender` does.

    Args:
        connections: Airflow connection ids to use instead of Accord's names.
    """
    ids = dict(connections or {})

    def mail(channel: Channel, digest: Digest) -> None:
        headers = {"X-Accord-Digest": digest.owner}
        with _in_our_words(channel):
            _send_mail(channel, ids.get(channel.connection, channel.connection), digest.title, digest.html, headers)

    return mail


def _mail(channel: Channel, conn_id: str, message: Message) -> None:
    headers = {"X-Accord-Alert": message.breach.key, "X-Accord-Event": str(message.event)}
    _send_mail(channel, conn_id, message.title, message.html, headers)


def _send_mail(channel: Channel, conn_id: str, subject: str, html: str, headers: dict[str, str]) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    with SmtpHook(smtp_conn_id=conn_id) as smtp:
        smtp.send_email_smtp(to=list(channel.to), subject=subject, html_content=html, custom_headers=headers)


def _slack(channel: Channel, conn_id: str, message: Message) -> None:
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

    facts = "\n".join(f"*{_plain(label)}* {_plain(value)}" for label, value in message.facts)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.title[:150]}},
        _section(facts),
    ]
    if message.actions:
        todo = "\n".join(f"{n}. {_plain(action)}" for n, action in enumerate(message.actions, start=1))
        blocks.append(_section(f"*Do first*\n{todo}"))
    if message.links:
        blocks.append(_section("  ·  ".join(_link(text, address) for text, address in message.links)))
    hook = SlackWebhookHook(slack_webhook_conn_id=conn_id, timeout=_TIMEOUT_S)
    hook.send(text=_plain(message.title), blocks=blocks, unfurl_links=False)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST_BLOCK]}}


def _plain(text: str) -> str:
    """Text in which nothing is Slack's mark-up (https://docs.slack.dev/messaging/formatting-message-text#escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _link(text: str, address: str) -> str:
    return (
        f"<{address}|{_plain(text)}>" if address.startswith(("http://", "https://")) else f"{text}: {_plain(address)}"
    )


def _pager(channel: Channel, conn_id: str, message: Message) -> None:
    import pagerduty
    from airflow.providers.pagerduty.hooks.pagerduty_events import PagerdutyEventsHook, prepare_event_data

    from accord_airflow.connections import connection

    hook = PagerdutyEventsHook(pagerduty_events_conn_id=conn_id)
    # the hook's own client knows only the service region of the United States; and it tries again for minutes, as the ledger does anyway
    client = pagerduty.EventsApiV2Client(hook.integration_key, base_url=connection(conn_id).host or None)
    client.timeout, client.max_network_attempts, client.retry = _TIMEOUT_S, 0, {429: 1}
    one = message.breach
    event = prepare_event_data(
        summary=message.title[:1024],
        severity=one.severity,
        source=f"accord {message.environment}",
        component=one.subject,
        group=one.object or None,
        class_type=one.measure,
        action=_ACTIONS[message.event],
        dedup_key=one.key,
        custom_details={
            **dict(message.facts),
            **{f"Do first, {n}": action for n, action in enumerate(message.actions, start=1)},
        },
        links=[{"href": address, "text": text} for text, address in message.links if address.startswith("http")],
    )
    client.send_event(**event)


def _webhook(channel: Channel, conn_id: str, message: Message) -> None:
    from accord.service_levels import webhook
    from accord_airflow.connections import connection

    webhook.send(channel, connection(conn_id), message)


_WAYS: dict[str, Callable[[Channel, str, Message], None]] = {
    "smtp": _mail,
    "slackwebhook": _slack,
    "pagerduty_events": _pager,
    "http": _webhook,
}
