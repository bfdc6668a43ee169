"""Service levels: what is promised, whether it is kept, and who is told when it is not; once per change, never lost."""
