"""One row a request over HTTP: the gateway beside the model's own endpoint."""
