"""What earlier nights saw: `history.sqlite` beside the runs, and what changed since."""
