"""What releases say of themselves: their files, their dates, the Djangos that they declare."""
