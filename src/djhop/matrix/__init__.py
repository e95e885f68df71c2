"""What to run: matrix files, the path, its hops and cells."""
