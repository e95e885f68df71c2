"""State that tests leave to each other."""

ready = False
polluted = False
