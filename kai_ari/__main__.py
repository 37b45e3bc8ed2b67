"""`python -m kai_ari` is `kai-ari`."""

import sys

from kai_ari.cli.main import main

sys.exit(main())
