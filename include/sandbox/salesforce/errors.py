"""Salesforce's ways of saying no.

::

    Exception
    ├── ApiError          the request as a whole is refused: an HTTP status and a list of errors
    └── FieldProblem      one value of one record is refused; becomes a RowError
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one record was refused, as save results and Bulk result files report it."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def as_save_result(self) -> dict[str, Any]:
        """Return the form used inside save results (collections, upsert)."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_bulk(self) -> str:
        """Return the form used in a Bulk failedResults file: ``CODE:message:Field --``."""
        return f"{self.code}:{self.message}:{','.join(self.fields)} --"


class FieldProblem(Exception):
    """One value does not fit its field."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.error = RowError(code, message, fields)


@dataclass(slots=True)
class ApiError(Exception):
    """The whole request is refused."""

    status: int
    code: str
    message: str
    fields: tuple[str, ...] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def payload(self) -> Any:
        """Return the body: a list of one error for JSON, unless one of another shape was given (bytes: not JSON at all)."""
        if self.body is not None:
            return self.body
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


def not_found() -> ApiError:
    """The address, or the record it names, does not exist."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


_HTTP = {
    "INVALID_CROSS_REFERENCE_KEY": 400,
    "ENTITY_IS_DELETED": 404,
    "NOT_FOUND": 404,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": 400,
    "UNABLE_TO_LOCK_ROW": 400,
}


def from_row(error: RowError) -> ApiError:
    """Turn a record's error into the answer of a single-record request."""
    # An error of a field is about another record than the one addressed: that one is there.
    status = 400 if error.fields else _HTTP.get(error.code, 400)
    return ApiError(status, error.code, error.message, error.fields)
