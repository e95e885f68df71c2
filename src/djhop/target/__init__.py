"""What the target says of itself: dependencies, Django, Pythons, suite. Runs none of it."""
