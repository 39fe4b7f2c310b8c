"""`python3 -m driver`."""

import sys

from .command import main

sys.exit(main())
