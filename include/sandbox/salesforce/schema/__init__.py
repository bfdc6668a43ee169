"""What the org knows about objects, fields and who may touch them."""
