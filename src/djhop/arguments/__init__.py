"""What can be typed: the commands and their options, each handed to `commands`."""
