"""What has to move on each hop of a path, in which order, and what is in the way."""
