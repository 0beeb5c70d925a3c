"""What has to be right for Ekiben to work on a machine; each check says what it found, and the mend."""
