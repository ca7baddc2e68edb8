"""The page as a browser sees it: quiet console, no request, charts drawn, nothing hostile runs."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
from websockets.sync.client import connect

from campaign.report.document import document, read_document
from campaign.report.html import render

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
SECONDS = 30
PARTIAL = Path(__file__).parents[2] / "phases" / "load" / "partial.html"
PARTS = Path(__file__).with_name("parts.json")
WIDE_PARTS = ("durability", "pool", "recovery", "invariants")
CUT = """Array.from(document.querySelectorAll('.scroll'))
    .filter((each) => each.scrollWidth > each.clientWidth)
    .map((each) => `${each.querySelector('th:not(:empty)').textContent}: ${each.scrollWidth} px`)"""
DRAWN = """Array.from(document.querySelectorAll('canvas')).every((each) =>
    each.getContext('2d').getImageData(0, 0, each.width, each.height).data.some((value) => value !== 0))"""


class Tab:
    """One page over the DevTools protocol: `call` answers, `events` keeps what the browser said by itself."""

    def __init__(self, socket):
        self.socket = socket
        self.events = []
        self.numbers = itertools.count(1)

    def call(self, method, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def evaluate(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression):
        deadline = time.monotonic() + SECONDS
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, expression
            time.sleep(0.02)

    def open(self, page):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=page.as_uri())
        self.wait_for(f"location.href === {json.dumps(page.as_uri())} && document.readyState === 'complete'")

    def resize(self, width, height, *, mobile=False):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    def said(self, method):
        return [each["params"] for each in self.events if each["method"] == method]


@contextlib.contextmanager
def browser(folder):
    """A tab of a Chromium of its own, which is gone afterwards."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        _chromium(folder, scratch),
        connect(page_address(folder / "profile"), max_size=None) as socket,
    ):
        yield Tab(socket)


@contextlib.contextmanager
def _chromium(folder, scratch):
    with (folder / "chromium.log").open("w") as log:
        process = subprocess.Popen(
            [shutil.which("chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "TMPDIR": scratch},  # killed, it leaves its socket behind
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)


def page_address(profile):
    """The WebSocket address of the first page, once the browser has said its port."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):  # written bit by bit
            port = int((profile / "DevToolsActivePort").read_text().splitlines()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                pages = json.load(answer)
            return next(each["webSocketDebuggerUrl"] for each in pages if each["type"] == "page")
        time.sleep(0.05)
    raise TimeoutError(f"Chromium did not come up within {SECONDS} s")


@pytest.fixture
def tab(tmp_path):
    if shutil.which("chromium") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing (Debian: chromium)")
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with browser(tmp_path) as opened:
        yield opened


def written(result, folder):
    page = folder / "report.html"
    page.write_text(render(result, {"load": PARTIAL.read_text()}), encoding="utf-8")
    return page


def written_with_parts(result, folder):
    """The page with phases of a real run, their figures as wide as they come."""
    told = document(result)
    told["test_results"] = list(json.loads(PARTS.read_text()).values())
    phases = Path(__file__).parents[2] / "phases"
    database = [phases / "database" / name / "partial.html" for name in WIDE_PARTS]
    partials = {
        "benchmark": (phases / "benchmark" / "partial.html").read_text(),
        "database": "\n".join(each.read_text() for each in database),
    }
    page = folder / "report.html"
    page.write_text(render(read_document(told), partials), encoding="utf-8")
    return page


def complaints(tab):
    errors = [each for each in tab.said("Runtime.consoleAPICalled") if each["type"] in ("error", "warning")]
    return errors + tab.said("Runtime.exceptionThrown") + tab.said("Log.entryAdded")


def requested(tab):
    addresses = [each["request"]["url"] for each in tab.said("Network.requestWillBeSent")]
    return [each for each in addresses if not each.startswith(("file:", "data:", "about:"))]


def test_the_page_draws_every_chart_without_a_request_or_a_complaint(tab, all_phases, tmp_path):
    tab.open(written(all_phases, tmp_path))
    assert (tab.evaluate("document.querySelectorAll('canvas').length"), tab.evaluate(DRAWN)) == (8, True)
    assert complaints(tab) == []
    assert requested(tab) == []


def test_dragging_zooms_all_charts_and_a_double_click_shows_everything_again(tab, all_phases, tmp_path):
    tab.resize(1200, 1400)
    tab.open(written(all_phases, tmp_path))
    box = tab.evaluate(
        "(() => { const over = document.querySelector('.u-over'); over.scrollIntoView({behavior: 'instant'});"
        "const { left, top, width } = over.getBoundingClientRect(); return [left, top, width]; })()"
    )
    shown = "Array.from(document.querySelectorAll('.u-legend tr:first-child td')).map((e) => e.textContent)"
    drag(tab, box[0] + 0.2 * box[2], box[0] + 0.4 * box[2], box[1] + 40)
    move(tab, box[0] + 1, box[1] + 40)
    tab.wait_for(f"{shown}[0].startsWith('3:')")
    assert len(set(tab.evaluate(shown))) == 1
    for count in (1, 2):
        press(tab, box[0] + 5, box[1] + 40, count=count)
    move(tab, box[0] + 2, box[1] + 40)
    tab.wait_for(f"{shown}[0].startsWith('0:0')")
    assert len(set(tab.evaluate(shown))) == 1


def move(tab, x, y, *, buttons=0):
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, buttons=buttons)


def press(tab, x, y, *, count=1, kinds=("mousePressed", "mouseReleased")):
    for kind in kinds:
        tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=count)


def drag(tab, start, end, y):
    move(tab, start, y)
    press(tab, start, y, kinds=("mousePressed",))
    move(tab, (start + end) / 2, y, buttons=1)
    move(tab, end, y, buttons=1)
    press(tab, end, y, kinds=("mouseReleased",))


def test_hostile_text_in_every_field_is_shown_and_never_run(tab, hostile_result, tmp_path):
    tab.open(written(hostile_result, tmp_path))
    title = tab.evaluate("document.title")
    assert title.startswith("AI Teddy Bear</script><script>")
    assert tab.evaluate("document.querySelectorAll('img').length") == 0
    assert tab.evaluate("document.scripts.length") == 3
    assert complaints(tab) == []
    assert requested(tab) == []


@pytest.mark.parametrize("name", ["all_phases", "hostile_result"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_screen(request, tab, tmp_path, width, name):
    tab.resize(width, 800, mobile=width < 600)
    tab.open(written(request.getfixturevalue(name), tmp_path))
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert width == tab.evaluate("document.documentElement.scrollWidth")


def test_every_table_fits_on_a_wide_screen_and_scrolls_by_itself_on_a_narrow_one(tab, all_phases, tmp_path):
    tab.resize(1200, 800)
    tab.open(written_with_parts(all_phases, tmp_path))
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert tab.evaluate("document.querySelectorAll('.scroll .figures').length") == 5
    assert "could not be drawn" not in tab.evaluate("document.body.textContent")
    assert tab.evaluate(CUT) == []
    tab.resize(360, 800, mobile=True)
    assert tab.evaluate("document.documentElement.scrollWidth") == 360


def test_a_page_without_anything_measured_says_so_instead_of_empty_charts(tab, not_measured, tmp_path):
    tab.open(written(not_measured, tmp_path))
    assert tab.evaluate("document.querySelector('.empty').checkVisibility()")
    assert complaints(tab) == []
