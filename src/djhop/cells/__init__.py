"""One cell's work, from a plain job to a result."""
