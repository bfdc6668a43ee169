"""How groups of records go, one after the other: many as one bulk job, few as calls."""

from __future__ import annotations

import pyarrow.compute as pc

from accord.ports import Sending
from accord.systems.salesforce.bulk_ingest import Ingest
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.collections import write_collections
from accord.systems.salesforce.payload import Group, unspeakable
from accord.systems.salesforce.replies import Replies


class Delivery:
    """The requests of one sending. Once it has `begun` nothing raises any more: what goes wrong is said per record."""

    def __init__(self, client: Client, sending: Sending) -> None:
        self._client, self._sending = client, sending
        self._ingest = Ingest(client, sending)
        self.begun = False

    def deliver(self, group: Group, *, of: int) -> Replies:
        """Send `group`, one of several that have `of` records together; one reply per key. Records a bulk job can't
        express go as calls."""
        replies: Replies = {}
        if of > self._client.options.bulk_threshold:
            odd = unspeakable(group)
            bulk, group = group.where(pc.invert(odd)), group.where(odd)
            if len(bulk):
                replies |= self._ingest.write(bulk, earlier=self.begun)
                self.begun = True
        return replies | self.call(group)

    def call(self, group: Group) -> Replies:
        """Send `group` as calls, however many they are."""
        if not len(group):
            return {}
        replies = write_collections(self._client, group, self._sending, earlier=self.begun)
        self.begun = True
        return replies
