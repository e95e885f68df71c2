"""What a hop changed: test by test, by cause, in one verdict."""
