"""What every layer shares. Fixtures of one layer live in that layer's folder."""

pytest_plugins = ["tests.layers", "tests.stack"]
