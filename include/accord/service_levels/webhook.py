"""Alerts to a webhook: CloudEvents, signed as the outbox's events are."""

from __future__ import annotations

from datetime import UTC, datetime

from accord.errors import Retry, Stop
from accord.outbox.signing import secret_key
from accord.outbox.subscribers import Subscriber, checked_url
from accord.outbox.webhook import Webhook
from accord.service_levels.channels import Channel
from accord.service_levels.message import Message
from accord.settings import Connection


def send(channel: Channel, connection: Connection, message: Message) -> None:
    """Post `message` to the URL that is the connection's host, signed with its password (whsec_…).

    Raises Retry when it was not taken, Stop for an address or a secret that can't be meant; neither is ever named.
    """
    if checked_url(connection.host) is None:
        raise Stop(
            f"Alert channel {channel.name} has no usable address.", cure="Give the whole URL, https://…, as its host."
        )
    keys = (secret_key(connection.password, of=f"alert channel {channel.name}"),)
    webhook = Webhook(Subscriber(name=channel.name, url=connection.host, keys=keys, objects=(), types=()))
    try:
        refusal = webhook.send([_event(message)])
    finally:
        webhook.close()
    if refusal:
        raise Retry(f"The webhook took nothing: {refusal.problem}.")


def _event(message: Message) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": message.id,
        "source": f"accord://{message.environment}/service-levels",
        "type": f"accord.alert.{message.event}",
        "subject": message.breach.key,
        "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": message.as_dict(),
    }
