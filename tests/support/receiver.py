"""A receiver of webhooks on loopback: it keeps what it was sent and when, and answers as it is told to."""

import contextlib
import http.server
import json
import threading
import time


class _Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((time.time(), json.loads(body)))
        self.server.behaviour(self)

    def do_GET(self):
        self.server.heard.append((time.time(), {"text": f"GET {self.path}"}))
        self.behaves(200)

    def behaves(self, status, **headers):
        """Answer with a status and no body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Receiver(http.server.ThreadingHTTPServer):
    """Has `url`, `heard` (wall time, JSON) and `texts`; `behaviour(handler)` may be set."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Take)
        self.heard = []
        self.behaviour = lambda handler: handler.behaves(200)
        self.url = f"http://127.0.0.1:{self.server_port}/services/T0/B0/xyzzy-xyzzy"

    @property
    def texts(self):
        return [said["text"] for _, said in self.heard]

    def handle_error(self, *args):
        """Those who hang up on a hostile answer are expected."""


@contextlib.contextmanager
def receiving():
    """A receiver that listens within this block."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
