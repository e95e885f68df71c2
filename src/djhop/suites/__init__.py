"""How a suite is run: its commands, its environment variables, its passes."""
