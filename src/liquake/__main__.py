"""`python -m liquake`."""

from liquake.cli import main

raise SystemExit(main())
