"""``python -m sandbox.salesforce``."""

import sys

from sandbox.salesforce.cli import main

sys.exit(main())
