"""What is behind the first cause of a red cell: what to take away, and what that shows; pure."""
