"""Plug-ins are foreign code: what cannot be loaded is named, whatever is wrong with it."""

import sys
from importlib.metadata import EntryPoint

import pytest

from campaign import registry
from campaign.registry import GROUP, installed

SOUND = "class Sound:\n    class info:\n        name = 'sound'\n"
MODULES = {
    "sound": SOUND,
    "double": SOUND,
    "leaving": "raise SystemExit(0)\n",
    "wrong": SOUND,
}


@pytest.fixture
def plugged(tmp_path, monkeypatch):
    """Called with (name, value) pairs, it gives the registry of an environment with just these plug-ins."""
    for name, text in MODULES.items():
        (tmp_path / f"plug_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    def plug(*points):
        found = [EntryPoint(name, value, GROUP) for name, value in points]
        monkeypatch.setattr(registry, "entry_points", lambda group: found)
        monkeypatch.setattr(registry, "_is_installed", lambda: True)
        return installed()

    yield plug
    for name in MODULES:
        sys.modules.pop(f"plug_{name}", None)


def test_a_sound_plugin_is_found_by_its_name(plugged):
    found = plugged(("sound", "plug_sound:Sound"))
    assert (list(found.phases), found.broken) == (["sound"], ())


@pytest.mark.parametrize(
    ("point", "why"),
    [
        (("gone", "plug_gone:Gone"), "ModuleNotFoundError"),
        (("lost", "plug_sound:Lost"), "AttributeError"),
        (("leaving", "plug_leaving:Leaving"), "SystemExit: 0"),
        (("other", "plug_wrong:Sound"), "calls itself 'sound', its entry point 'other'"),
    ],
)
def test_what_cannot_be_loaded_is_named_and_the_others_are_there(plugged, point, why):
    found = plugged(point, ("sound", "plug_sound:Sound"))
    assert list(found.phases) == ["sound"]
    (broken,) = found.broken
    assert (broken.name, broken.source) == point
    assert why in broken.why


def test_of_two_plugins_with_one_name_none_takes_the_other_s_place_unsaid(plugged):
    found = plugged(("sound", "plug_sound:Sound"), ("sound", "plug_double:Sound"))
    assert type(found.phases["sound"]).__module__ == "plug_sound"
    assert [each.why for each in found.broken] == ["another plug-in has this name, plug_sound"]
