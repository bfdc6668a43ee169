"""What can go wrong while the stack comes up. Each message is one thing a person can act on.

StackError
├── PortTaken        another program listens where we want to
├── ServiceFailed    a process ended or never became ready
├── ToolMissing      a program or right the machine lacks
└── HomeBusy         another command is changing the same home
"""

from __future__ import annotations


class StackError(Exception):
    """A sandbox service can't be started, stopped or set up; the message names the cure."""


class PortTaken(StackError):
    """A port is held by a program that is not ours."""


class ServiceFailed(StackError):
    """A process ended early or did not become ready in time."""


class ToolMissing(StackError):
    """The machine lacks a program or a right that a service needs."""


class HomeBusy(StackError):
    """Another command holds the lock of this home."""
