"""`python -m wending` is `wending`."""

from __future__ import annotations

import sys

from wending.cli import main

sys.exit(main())
