"""The commands of `accord`, a file for each topic: `add(commands, common)` adds them to the parser."""
