"""Tryton behind the ports: its objects, each with a handler of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

from accord.objects.definition import BusinessObject
from accord.ports import Check
from accord.settings import Connection
from accord.systems.erp import Erp
from accord.systems.tryton.checking import check_tryton
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.context import Context
from accord.systems.tryton.contract_status import ContractRenewals, ContractStatuses, Renewals
from accord.systems.tryton.credit_memo import CreditMemos
from accord.systems.tryton.customer.handler import Customers
from accord.systems.tryton.customer_account import CustomerAccounts
from accord.systems.tryton.invoice import Invoices
from accord.systems.tryton.order.handler import Orders
from accord.systems.tryton.order_status import OrderStatuses
from accord.systems.tryton.payment import Payments
from accord.systems.tryton.places import Places
from accord.systems.tryton.price import Prices
from accord.systems.tryton.price_list import PriceLists
from accord.systems.tryton.product import Products
from accord.systems.tryton.shipment import Shipments
from accord.systems.tryton.subscription.handler import Contracts


def open_tryton(name: str, connection: Connection) -> Tryton:
    """The adapter of the ERP called `name`; `connection` is of type http (see TrytonClient). It connects at first use."""
    return Tryton(name, TrytonClient(connection))


def places(object_name: str) -> dict[str, str]:
    """Where Tryton keeps the object's fields."""
    return Tryton.places(object_name)


class Tryton(Erp[Context]):
    """One database of one Tryton."""

    TARGETS: ClassVar = {"customer": Customers, "order": Orders, "contract": Contracts}
    SOURCES: ClassVar = {
        "customer_account": CustomerAccounts,
        "product": Products,
        "price_list": PriceLists,
        "price": Prices,
        "order_status": OrderStatuses,
        "invoice": Invoices,
        "credit_memo": CreditMemos,
        "payment": Payments,
        "shipment": Shipments,
        "contract_status": ContractStatuses,
        "renewal": Renewals,
        "contract_renewal": ContractRenewals,
    }

    def __init__(self, name: str, client: TrytonClient) -> None:
        super().__init__(name, Context(name=name, client=client, places=Places(client)))

    @property
    def longest_request(self) -> timedelta:
        return self._context.client.longest

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        yield from check_tryton(self._context.client, self.name, self._handlers())

    def close(self) -> None:
        self._context.client.close()
