"""A service that gets everything wrong which the sessions and transport parts look at, over http or https."""

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import ssl
import threading
import traceback
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CAMPAIGN = """
name: careless
target: {url: "URL", health: GET /health}
operations:
  register:
    request: POST /register
    json: {name: "Pat {{ canary }}"}
    expect: 201
    save: {token: $.token, refresh_token: $.refresh_token, id: $.id}
  login: {request: "POST /login/{{ id }}", json: {}, expect: 200, save: {token: $.token}}
  refresh:
    request: POST /refresh
    json: {refresh_token: "{{ refresh_token }}"}
    expect: 200
    save: {refresh_token: $.refresh_token}
  logout: {request: POST /logout, auth: "{{ token }}", json: {}, expect: 204}
  change_password: {request: POST /password, auth: "{{ token }}", json: {}, expect: 204}
  me: {request: "GET /users/{{ id }}", auth: "{{ token }}", expect: 200}
  change:
    request: PATCH /users/{{ id }}
    auth: "{{ token }}"
    json: {name: "Pat {{ canary }}"}
    expect: 200
  remove: {request: "DELETE /users/{{ id }}", auth: "{{ token }}", expect: 204}
  invite: {request: POST /invite, auth: "{{ token }}", json: {}, expect: 201, save: {guest_token: $.token}}
  statistics: {request: GET /statistics, auth: "{{ token }}", expect: 200}
  list: {request: GET /list, query: {limit: "3"}, auth: "{{ token }}", expect: 200}
  find: {request: GET /list, query: {words: "{{ canary }}"}, auth: "{{ token }}", expect: 200}
users:
  anybody: {wait: 1s, start: [register], tasks: {me: 1}}
phases:
  load: {scenarios: {one: {users: 1, hold: 1s}}}
"""

ROLES = {
    "parent": {"start": ["register"], "stop": ["remove"], "credentials": ["token"]},
    "guest": {"of": "parent", "start": ["invite"], "credentials": ["guest_token"]},
}

SESSIONS = {
    "sign_ins": {
        "parent": {
            "token": "token",
            "protected": "me",
            "login": "login",
            "logout": "logout",
            "change_password": "change_password",
            "delete": "remove",
            "refresh": "refresh",
            "expired": {"make": "login", "after": "100ms"},
            "within": "200ms",
        }
    },
    "ids": {"id": {"role": "parent", "make": "register"}},
    "mass_assignment": {"change": {"role": "parent", "read": "me"}},
    "excessive": {"me": {"role": "parent"}},
    "functions": {"guest": {"by": "parent", "operations": ["statistics"]}},
    "page_size": {"list": {"role": "parent", "parameter": "limit", "items": "$.items", "most": 100}},
}


COUNTER = itertools.count()


def token_of(number):
    """A token signed with the key that everybody tries first."""
    claims = {"sub": number, "n": next(COUNTER)}
    packed = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256"}, claims)
    ]
    signed = b".".join(packed)
    mac = hmac.new(b"secret", signed, hashlib.sha256).digest()
    return f"{signed.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


class Careless(BaseHTTPRequestHandler):
    """Asks nobody who they are, forgets nothing, shows everything."""

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    protocol_version = "HTTP/1.1"
    users: dict
    log: object = None

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        if self.log:
            with open(self.log, "a") as file:  # noqa: PTH123
                file.write(f"{self.command} {self.path} {body.decode('utf-8', 'replace')}\n")
        try:
            status, document = self.route(url.path.strip("/").split("/"), parse_qs(url.query), body)
        except Exception:  # noqa: BLE001 - which it shows to whoever asks
            status, document = 500, {"error": traceback.format_exc()}
        data = b"" if status == 204 else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Set-Cookie", "sid=abc; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT")
        self.send_header("Set-Cookie", "theme=dark; HttpOnly; SameSite=Lax; Secure")
        self.send_header("Access-Control-Allow-Origin", self.headers.get("origin") or "*")
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.end_headers()
        self.wfile.write(data)

    def route(self, path, query, body):
        fields = json.loads(body) if body else {}
        what = path[0]
        if what == "register":
            number = len(self.users) + 1
            self.users[number] = {"id": number, "password_hash": "scrypt$8$...", **fields}
            return 201, {"token": token_of(number), "refresh_token": f"r{number}", "id": number}
        if what == "users":
            user = self.users[int(path[1])]
            user |= fields
            return (204, None) if self.command == "DELETE" else (200, user)
        if what == "list":
            return 200, {"items": list(range(min(int(query.get("limit", ["3"])[0]), 5_000)))}
        if what in {"login", "refresh", "invite"}:
            status = 201 if what == "invite" else 200
            return status, {"token": token_of(0), "refresh_token": f"{fields.get('refresh_token')}x"}
        return (200 if what in {"statistics", "health"} else 204), {}

    def log_message(self, *_):
        """Nothing on the terminal."""


@contextlib.contextmanager
def careless(*, certificate=None, old_tls=True, log=None):
    """Its URL; with a `certificate` (paths of it and of its key) it speaks TLS, also the old versions."""
    handler = type("Handler", (Careless,), {"users": {}, "log": log})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if old_tls:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
            context.set_ciphers("ALL:@SECLEVEL=0")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def campaign_file(url, *, target=""):
    """The campaign against it; `target` are further keys of the target."""
    return CAMPAIGN.replace("URL", url).replace("health: GET /health}", f"health: GET /health{target}}}")
