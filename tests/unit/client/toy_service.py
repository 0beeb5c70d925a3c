"""A service as `up` sees one: a process with /readyz on EKIBEN_HEALTH_PORT. Its file says how it behaves."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

behaviour = Path(os.environ["TOY_BEHAVIOUR"])


class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if behaviour.read_text() == "ready" else 503)
        self.end_headers()
        self.wfile.write(b"the toy's own words")

    def log_message(self, *_):
        pass


print("the toy speaks", flush=True)
if behaviour.read_text() == "dies":
    sys.exit(7)
HTTPServer(("127.0.0.1", int(os.environ["EKIBEN_HEALTH_PORT"])), Health).serve_forever()
