"""Measurements that take too long for the suite; each is a program. docs/console.md says how they are run."""
