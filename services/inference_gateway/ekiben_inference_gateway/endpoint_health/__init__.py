"""How each endpoint does: in metrics, and in what the gateway reports of it, window by window."""
