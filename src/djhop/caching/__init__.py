"""The folder djhop keeps between runs: what lies in it, and what of it may go."""
