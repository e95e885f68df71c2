"""`python -m djhop` is `djhop`."""

from djhop.cli import main

main()
