"""What a fixer can repair: which files, what it makes of them, and what that proves."""
