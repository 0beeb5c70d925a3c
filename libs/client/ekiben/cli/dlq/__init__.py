"""`ekiben dlq`: what died, where and why, and the way back for what can be mended."""
