"""The SDK and the command line of Ekiben."""
