"""What each command does, from parsed arguments to an exit code."""
