"""`python -m server` is the `townhall` command."""

import sys

from server.cli import main

sys.exit(main())
