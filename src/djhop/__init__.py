"""djhop shows where each hop of a Django upgrade breaks, why, whose fault it is and what to do."""

__version__ = "0.1.0"
