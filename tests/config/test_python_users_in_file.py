"""A kind of user that is a Python class: found beside the file, overlaid by it, its mistakes told."""

from __future__ import annotations

import sys
import textwrap
from types import ModuleType

import pytest

from campaign.config import CampaignFileError, read
from campaign.config.tags import TagChoice, with_tags
from campaign.load.python import probe
from campaign.registry import installed
from campaign.target.journey import Do, WaitShape

FILE = """\
name: Trip
target: {url: "http://127.0.0.1:8000"}
operations:
  plan_journey: {request: "GET /plan?to={{ destination }}", tags: [trip]}
  login: {request: POST /login}
users:
  power_traveler: {python: my_users.PowerTraveler}
data: {city: [Lima, Oslo]}
phases:
  load:
    scenarios: {short: {users: 2, ramp: 2/s, hold: 3s}}
"""

CLASS = """\
from campaign import User, between, pace, task

class PowerTraveler(User):
    weight = 20
    wait = between(1, 3)
    iterations = 4
    measures = ("query",)

    async def on_start(self) -> None:
        await self.send("login")

    @task(50, tags=["journey"])
    async def plan(self) -> None:
        answer = await self.send("plan_journey", destination=self.data.city)
        self.check(answer.json["safe"], "unsafe plan")

    @task
    async def idle(self) -> None:
        await self.sleep(1)
"""


@pytest.fixture
def read_file(tmp_path):
    def read_it(text: str = FILE, module: str = CLASS, name: str = "my_users.py"):
        (tmp_path / name).write_text(textwrap.dedent(module))
        (tmp_path / "campaign.yaml").write_text(text)
        return read(tmp_path / "campaign.yaml", phases=installed().infos(), environ={})

    return read_it


@pytest.fixture
def mistake_of(read_file):
    def only(*arguments, **options):
        with pytest.raises(CampaignFileError) as caught:
            read_file(*arguments, **options)
        (mistake,) = caught.value.mistakes
        return mistake

    return only


def test_the_class_says_what_the_file_does_not(read_file, tmp_path):
    user = read_file().vocabulary.users["power_traveler"]
    assert (user.weight, user.wait.low, user.wait.high, user.iterations) == (20, 1, 3, 4)
    assert (user.python, user.folder) == ("my_users.PowerTraveler", str(tmp_path))
    assert {name: task.weight for name, task in user.tasks.items()} == {"plan": 50, "idle": 1}
    assert user.tasks["plan"].body == (Do("plan_journey"),)
    assert user.tasks["plan"].tags == {"journey"}
    assert user.start == (Do("login"),)


def test_the_file_goes_before_the_class(read_file):
    changed = "{python: my_users.PowerTraveler, weight: 5, wait: {pace: 10s}, iterations: 7}"
    user = read_file(FILE.replace("{python: my_users.PowerTraveler}", changed)).vocabulary.users[
        "power_traveler"
    ]
    assert (user.weight, user.wait.shape, user.wait.mean, user.iterations) == (5, WaitShape.PACE, 10, 7)


def test_a_count_and_a_device_go_with_a_class(read_file):
    changed = "{python: my_users.PowerTraveler, count: 2, device: mobile}"
    user = read_file(FILE.replace("{python: my_users.PowerTraveler}", changed)).vocabulary.users[
        "power_traveler"
    ]
    assert (user.count, user.device) == (2, "mobile")


def test_limits_may_name_what_the_class_measures(read_file, mistake_of):
    read_file(FILE + "    limits: {query: {p95: 50ms}}\n")
    mistake = mistake_of(FILE + "    limits: {querry: {p95: 50ms}}\n")
    assert (mistake.place.line, mistake.suggestion) == (12, "query")


def test_nothing_of_the_folder_stays_imported(read_file, tmp_path):
    sys.modules.pop("my_users", None)
    places = list(sys.path)
    read_file()
    assert "my_users" not in sys.modules
    assert sys.path == places
    assert (
        read_file(module=CLASS.replace("weight = 20", "weight = 30"))
        .vocabulary.users["power_traveler"]
        .weight
        == 30
    )


def test_a_module_of_the_same_name_from_elsewhere_is_left_alone(read_file, monkeypatch):
    elsewhere = ModuleType("my_users")
    elsewhere.__file__ = "/somewhere/else/my_users.py"
    monkeypatch.setitem(sys.modules, "my_users", elsewhere)
    assert read_file().vocabulary.users["power_traveler"].weight == 20
    assert sys.modules["my_users"] is elsewhere


def test_what_a_module_prints_is_not_our_output(read_file, capsys):
    read_file(module="print('hello')\n" + CLASS)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "hello\n")


@pytest.mark.parametrize(
    ("old", "new", "found", "suggestion"),
    [
        ("my_users.PowerTraveler", "my_users.PowerTraveller", "'PowerTraveller', which is not in my_users.py",
         "my_users.PowerTraveler"),
        ("my_users.PowerTraveler", "my_user.PowerTraveler",
         "the module 'my_user', which is neither beside the campaign file nor installed",
         "my_users.PowerTraveler"),
        ("my_users.PowerTraveler", "PowerTraveler", '"PowerTraveler"', ""),
        ("my_users.PowerTraveler", "../my_users.PowerTraveler", '"../my_users.PowerTraveler"', ""),
        ("my_users.PowerTraveler", "my_users.pace", "'pace', which does not extend campaign.User", ""),
        ("my_users.PowerTraveler", "my_users.User", "'User', which does not extend campaign.User", ""),
    ],
)  # fmt: skip
def test_a_class_that_is_not_there_is_a_mistake_of_the_file(mistake_of, old, new, found, suggestion):
    mistake = mistake_of(FILE.replace(old, new))
    assert (mistake.place.line, mistake.key) == (7, "users.power_traveler.python")
    assert (mistake.found, mistake.suggestion) == (found, suggestion)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("    iterations = 4", "    iterations = = 4", "cannot be imported: SyntaxError: invalid syntax"),
        ("iterations = 4", "iterations = 4 / 0", "ZeroDivisionError: division by zero (my_users.py:6)"),
        ("    iterations = 4", "    raise SystemExit(2)", "SystemExit: 2 (my_users.py:6)"),
        ("from campaign import User", "import no_such_module\nfrom campaign import User",
         "ModuleNotFoundError: No module named 'no_such_module' (my_users.py:1)"),
        ("between(1, 3)", "between(3, 1)", "ValueError: between(3, 1): the first must be 0 or more"),
        ("between(1, 3)", "5", "PowerTraveler.wait = 5"),
        ("weight = 20", "weight = 'much'", "PowerTraveler.weight = 'much'"),
        ("iterations = 4", "iterations = -1", "PowerTraveler.iterations = -1"),
        ('("query",)', '"query"', "PowerTraveler.measures = 'query'"),
        ("async def idle", "def idle", "the task 'idle' is no async method"),
        ("async def on_start", "def on_start", "PowerTraveler.on_start, which is no async method"),
        ('await self.send("login")', 'await self.send("logn")',
         "send('logn') in my_users.py:10, an operation that is not defined"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_work_is_a_mistake_of_the_file(mistake_of, old, new, found):
    module = CLASS.replace("await self.sleep(1)", "pass") if "def idle" in new or "on_start" in new else CLASS
    module = module.replace('await self.send("login")', "pass") if "def on_start" in new else module
    mistake = mistake_of(module=module.replace(old, new))
    assert mistake.key == "users.power_traveler.python"
    assert found in mistake.found


def test_a_module_that_ends_whoever_imports_it_is_a_mistake_of_the_file(mistake_of, monkeypatch):
    for line, found in (
        ("import os; os._exit(0)", "which ends the process that imports it (exit code 0)"),
        ("raise KeyboardInterrupt", "which cannot be imported: KeyboardInterrupt (my_users.py:1)"),
        ("class Odd(BaseException): pass\nraise Odd", "which cannot be imported: Odd (my_users.py:2)"),
    ):
        mistake = mistake_of(module=f"{line}\n{CLASS}")
        assert (mistake.place.line, mistake.found) == (7, f"the module 'my_users', {found}")
    monkeypatch.setattr(probe, "IMPORT_LIMIT", 0.5)
    mistake = mistake_of(module=f"while True: pass\n{CLASS}")
    assert mistake.found == "the module 'my_users', which is not imported within 0.5 s"


def test_limits_on_what_a_class_measures_are_no_mistake_where_it_cannot_be_read(mistake_of):
    text = FILE + "    limits: {query: {p95: 50ms}}\n"
    mistake = mistake_of(text, module=CLASS.replace("iterations = 4", "iterations = -1"))
    assert mistake.key == "users.power_traveler.python"


def test_a_class_without_tasks_is_a_mistake(mistake_of):
    module = CLASS.replace("    @task\n", "").replace('    @task(50, tags=["journey"])\n', "")
    mistake = mistake_of(FILE.replace("?to={{ destination }}", ""), module=module)
    assert mistake.found == "'PowerTraveler', which has no task"


def test_a_class_and_tasks_of_the_file_exclude_each_other(mistake_of):
    mistake = mistake_of(FILE.replace("PowerTraveler}", "PowerTraveler, tasks: [login]}"))
    assert mistake.found == "python and tasks"


def test_templates_may_name_what_the_class_gives_and_nothing_else(read_file, mistake_of):
    read_file()
    mistake = mistake_of(FILE.replace("{{ destination }}", "{{ destinaton }}"))
    assert mistake.place.line == 4
    assert "destination" in str(mistake)


def test_values_that_cannot_be_known_beforehand_allow_any_name(read_file):
    module = CLASS.replace("destination=self.data.city", "**{'desti' + 'nation': 1}")
    assert read_file(module=module).vocabulary.users


def test_tags_choose_among_the_tasks_of_a_class(read_file):
    chosen = with_tags(read_file(), TagChoice(frozenset({"journey"}), frozenset()))
    assert list(chosen.vocabulary.users["power_traveler"].tasks) == ["plan"]
    chosen = with_tags(read_file(), TagChoice(frozenset({"trip"}), frozenset()))
    assert list(chosen.vocabulary.users["power_traveler"].tasks) == ["plan"]
    chosen = with_tags(read_file(), TagChoice(frozenset(), frozenset({"journey"})))
    assert list(chosen.vocabulary.users["power_traveler"].tasks) == ["idle"]
