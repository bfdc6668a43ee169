"""Interface tables behind the ports: the ERP's objects, each with a handler of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

from accord.objects.definition import BusinessObject
from accord.ports import Check
from accord.settings import Connection
from accord.systems.erp import Erp
from accord.systems.interface_tables.billing import CreditMemos, Invoices
from accord.systems.interface_tables.catalogue import PriceLists, Prices, Products
from accord.systems.interface_tables.checking import check_tables
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract_status import ContractRenewals, ContractStatuses, Renewals
from accord.systems.interface_tables.customer.handler import Customers
from accord.systems.interface_tables.customer_account import CustomerAccounts
from accord.systems.interface_tables.order.handler import Orders
from accord.systems.interface_tables.order_status import OrderStatuses
from accord.systems.interface_tables.payment import Payments
from accord.systems.interface_tables.session import Session
from accord.systems.interface_tables.shipment import Shipments
from accord.systems.interface_tables.subscription.handler import Contracts


def open_interface_tables(name: str, connection: Connection) -> InterfaceTables:
    """The adapter of the ERP called `name`; `connection` is of type postgres. It connects at first use."""
    return InterfaceTables(name, Session(connection))


def places(object_name: str) -> dict[str, str]:
    """Where the interface tables keep the object's fields."""
    return InterfaceTables.places(object_name)


class InterfaceTables(Erp[Context]):
    """One ERP behind interface tables."""

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

    def __init__(self, name: str, session: Session) -> None:
        super().__init__(name, Context(name=name, session=session))

    @property
    def longest_request(self) -> timedelta:
        return self._context.session.timeout + timedelta(seconds=5)  # the server gives a statement up by itself

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        yield from check_tables(self._context.session, self.name, self._handlers())

    def close(self) -> None:
        self._context.session.close()
