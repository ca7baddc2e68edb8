"""A target that is gone for a while is a stall, though refused connections fail at once."""

import asyncio
import http.server
import threading

from campaign.clock import RealClock
from campaign.load.fleet import run_load


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Target:
    """A server that can go away and come back on its port."""

    def __init__(self, port=0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def leave(self):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def test_a_target_that_goes_away_and_comes_back_has_stalled_for_as_long(make_plan):
    target = Target()
    plan = make_plan(f"http://127.0.0.1:{target.port}", users=4, wait=0.01, hold=5.0)
    there = [target]

    def on_second(second):
        if second.at == 0.0:
            there.pop().leave()
        elif second.at == 2.0:
            there.append(Target(target.port))

    outcome = asyncio.run(run_load(plan, clock=RealClock(), stop=asyncio.Event(), on_second=on_second))
    there.pop().leave()
    assert 1.5 < outcome.longest_stall < 4.5
    assert {each.kind for each in outcome.errors} <= {"connect", "reset"}
