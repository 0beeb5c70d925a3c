"""What is compared: one file for each side, all started, fed and read the same way."""
