"""`python -m ordinate`: the command line."""

import sys

from ordinate._command import main

sys.exit(main())
