"""An OAuth 2 authorization server of one endpoint: client credentials for a signed token (RFC 6749, 4.4).

Standard library and PyJWT: what it signs is judged by the broker's real validator.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from ekiben_bus.brokers.security import TokenIssuer

AUDIENCE = "ekiben-kafka"


@dataclass
class Issuer:
    """Signs tokens for those in `clients` (id: secret); `jwks` is the file of its public key."""

    jwks: Path
    clients: dict[str, str] = field(default_factory=dict)
    lifetime_s: float = 600.0
    sold: list[str] = field(default_factory=list)
    """Whom a token was given to, in order."""

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = {
            **json.loads(ECAlgorithm.to_jwk(self._key.public_key())),
            "kid": "one",
            "use": "sig",
            "alg": "ES256",
        }
        self.jwks.parent.mkdir(parents=True, exist_ok=True)
        self.jwks.write_text(json.dumps({"keys": [public]}))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Of its token endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}/token"

    @property
    def trusted(self) -> TokenIssuer:
        """What a broker is told to trust it."""
        return TokenIssuer(self.jwks.absolute().as_uri(), "https://issuer.test", AUDIENCE)

    def token(
        self,
        subject: str,
        *,
        lifetime_s: float | None = None,
        audience: str = AUDIENCE,
        forged: bool = False,
    ) -> str:
        """A signed token; a forged one is signed by a key that nobody knows."""
        key = ec.generate_private_key(ec.SECP256R1()) if forged else self._key
        now = int(time.time())
        claims = {
            "sub": subject,
            "iss": self.trusted.issuer,
            "aud": audience,
            "iat": now,
            "exp": int(now + (self.lifetime_s if lifetime_s is None else lifetime_s)),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "one"})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, object]]:
        """What the endpoint says to a request."""
        login = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, _, secret = (unquote(part) for part in login.partition(":"))
        if self.clients.get(client) != secret or form.get("grant_type") != ["client_credentials"]:
            return 401, {"error": "invalid_client", "error_description": "unknown client, or another secret"}
        self.sold.append(client)
        return 200, {
            "access_token": self.token(client),
            "token_type": "Bearer",
            "expires_in": self.lifetime_s,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, body = issuer.answer(self.headers.get("Authorization", ""), form)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
