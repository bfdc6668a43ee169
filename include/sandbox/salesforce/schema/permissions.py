"""Who may see and change what: the permission sets of the integration user, and changes made at run time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.schema.model import Field, Object

ACTIONS = ("create", "read", "edit", "delete")


class Permissions:
    """Object, field and user permissions; an administrator has them all."""

    def __init__(self, sets: Iterable[dict[str, Any]] = (), *, admin: bool = False) -> None:
        self.admin = admin
        self._objects: dict[str, set[str]] = {}
        self._fields: dict[tuple[str, str], tuple[bool, bool]] = {}
        self.user: set[str] = set()
        for item in sets:
            for name, actions in item["objects"].items():
                self._objects.setdefault(name.lower(), set()).update(a for a in ACTIONS if actions[a])
            for name, (read, edit) in item["fields"].items():
                obj, _, field = name.lower().partition(".")
                key = (obj, field)
                old = self._fields.get(key, (False, False))
                self._fields[key] = (read or old[0], edit or old[1])
            self.user |= item["user"]

    def allows(self, obj: Object, action: str) -> bool:
        """Return whether the user may create, read, edit or delete records of the object."""
        if self.admin or (obj.setup and action == "read"):
            return True
        if obj.rights:
            # Adding, changing and removing a detail is editing its parent.
            return ("read" if action == "read" else "edit") in self._objects.get(obj.rights.lower(), ())
        return action in self._objects.get(obj.name.lower(), ())

    def has(self, permission: str) -> bool:
        """Return whether the user has a user permission, such as ``EditActivatedOrders``."""
        return self.admin or permission in self.user

    def reads(self, obj: Object, field: Field) -> bool:
        """Return whether the user may see the field; the parts of an address go with the address."""
        if self.admin or obj.setup or field.always_visible:
            return True
        return self._fields.get((obj.name.lower(), (field.compound or field.name).lower()), (False, False))[0]

    def edits(self, obj: Object, field: Field) -> bool:
        """Return whether the user may change the field, if the field can be changed at all."""
        if self.admin or field.always_visible:
            return True
        return self._fields.get((obj.name.lower(), (field.compound or field.name).lower()), (False, False))[1]

    def set_object(self, obj: str, actions: Iterable[str]) -> None:
        """Replace the actions allowed on an object."""
        self._objects[obj.lower()] = set(actions)

    def set_field(self, obj: str, field: str, *, read: bool, edit: bool) -> None:
        """Replace the permissions on a field."""
        self._fields[obj.lower(), field.lower()] = (read, edit)

    def copy(self) -> "Permissions":
        """Return an independent copy."""
        other = Permissions(admin=self.admin)
        other._objects = {name: set(actions) for name, actions in self._objects.items()}
        other._fields = dict(self._fields)
        other.user = set(self.user)
        return other


@dataclass(slots=True, kw_only=True)
class Actor:
    """A signed-in user of one connected app."""

    user_id: str
    username: str
    client: str
    permissions: Permissions
    api_version: str = ""

    def field(self, obj: Object, name: str) -> Field | None:
        """Return the field if it exists and the user may see it."""
        found = obj.field(name)
        return found if found is not None and self.permissions.reads(obj, found) else None
