"""An identity provider for tests: OpenID Connect with discovery, code, signed identity token and published keys."""

import base64
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "page-of-the-officers", secrets.token_urlsafe()
LIFE_S = 300


class IdentityProvider(ThreadingHTTPServer):
    """Signs one person in; `name` and `email` are what it tells of the person."""

    def __init__(self, name: str, email: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.person = {"sub": "officer-7", "name": name, "email": email}
        self.key = RSAKey.generate_key(2048, {"use": "sig", "kid": "1", "alg": "RS256"})
        self.codes: dict[str, dict[str, str]] = {}
        """What was asked for with each code that was given out and not yet used."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def signing_in(name: str, email: str) -> Iterator[IdentityProvider]:
    """Run an identity provider on a free port."""
    provider = IdentityProvider(name, email)
    thread = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        thread.join()
        provider.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: IdentityProvider

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            self._send_json(self._metadata())
        elif address.path == "/keys":
            self._send_json({"keys": [self.server.key.as_dict(private=False)]})
        elif address.path == "/authorize" and query.get("client_id") == CLIENT_ID:
            self._ask(query)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked = self.server.codes.pop(form.get("code", [""])[0], None)
        same_address = asked is not None and form.get("redirect_uri") == [asked["redirect_uri"]]
        if self.path != "/token" or asked is None or not same_address or not self._is_client(form):
            self.send_error(400)
            return
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": CLIENT_ID, "iat": now, "exp": now + LIFE_S, **self.server.person}
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.server.key)
        self._send_json(
            {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "expires_in": LIFE_S, "id_token": token}
        )

    def _metadata(self) -> dict[str, object]:
        url = self.server.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def _ask(self, query: dict[str, str]) -> None:
        """Ask the person, whose click leads back with a code that can be used once."""
        code = secrets.token_urlsafe()
        self.server.codes[code] = query
        back = f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        name = html.escape(self.server.person["name"])
        self._send(f"<h1>Sign in</h1><a href='{html.escape(back)}'>Continue as {name}</a>".encode(), "text/html")

    def _is_client(self, form: dict[str, list[str]]) -> bool:
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        posted = form.get("client_id") == [CLIENT_ID] and form.get("client_secret") == [CLIENT_SECRET]
        return posted or self.headers.get("Authorization") == f"Basic {basic}"

    def _send_json(self, content: object) -> None:
        self._send(json.dumps(content).encode(), "application/json")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing: codes stand in the addresses."""
