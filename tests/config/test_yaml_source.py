# ruff: noqa: E501 - a table reads best with one case per line
"""YAML text to plain data with places; its traps closed and its bombs defused."""

import time

import pytest

from campaign.config import CampaignFileError, Place, read
from campaign.config.source import load


def data_of(text, **environ):
    document = load(text, "c.yaml", environ=environ)
    assert document.mistakes == ()
    return document.data


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5), ("-5", -5), ("0", 0), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("true", True), ("False", False),
        ("null", None), ("~", None), ("", None), ("'5'", "5"), ('"5"', "5"), ("!!str 5", "5"), ("!!float 5", 5.0),
        ("no", "no"), ("on", "on"), ("12:30", "12:30"), ("2026-11-20", "2026-11-20"), ("0012", "0012"), ("0x10", "0x10"),
        ("1_000", "1_000"), ("< 1%", "< 1%"), ("1s..3s", "1s..3s"), ("...", "..."), ("9" * 200, "9" * 200),
    ],
)  # fmt: skip
def test_a_plain_scalar_means_what_yaml_1_2_says(written, value):
    (read_value,) = data_of(f"a: {{b: {written}}}")["a"].values()
    assert (read_value, type(read_value)) == (value, type(value))


def test_infinity_and_nan_are_numbers_of_yaml():
    assert str(data_of("a: [.inf, -.inf, .nan]")["a"]) == "[inf, -inf, nan]"


def test_every_key_and_value_knows_its_place():
    document = load("a:\n  b: [1, {c: 2}]\n", "c.yaml", environ={})
    assert document.values["a", "b", 1, "c"] == Place("c.yaml", 2, 14)
    assert document.keys["a", "b"] == Place("c.yaml", 2, 3)
    assert document.place(("a", "b", 7, "x")) == Place("c.yaml", 2, 6)


def test_a_merged_mapping_may_have_merged_another():
    text = "a: &a {x: 1, y: 1, z: 1}\nb: &b {<<: *a, y: 2, z: 2}\nc: {<<: *b, z: 3}\n"
    assert data_of(text)["c"] == {"x": 1, "y": 2, "z": 3}


def test_a_merged_mapping_gives_way_to_what_stands_beside_it():
    assert data_of("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {z: 3, <<: [*a, *b]}\n")["c"] == {
        "x": 1,
        "y": 1,
        "z": 3,
    }


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "1:1", "an empty file"),
        ("# only a comment\n", "1:1", "an empty file"),
        ("- a\n", "1:1", "a list"),
        ("just text\n", "1:1", 'only the value "just text"'),
        ("a: 1\na: 2\n", "2:1", "a second time (first in line 1)"),
        ("a:\n\tb: 1\n", "2:1", "YAML allows no tabs"),
        ("a: !!python/object:os.system x\n", "1:4", "plain values without a tag"),
        ("a: !secret x\n", "1:4", "plain values without a tag"),
        ("a: !!set {x}\n", "1:4", "plain values without a tag"),
        ("a: !!int x\n", "1:4", "a value of the kind int"),
        ("a: !!binary aGk=\n", "1:4", "plain values without a tag"),
        ("a: {{ token }}\n", "1:5", 'a template in quotes: "{{ name }}"'),
        ("[a]: b\n", "1:1", "a list as a key"),
        ("a: > 100/s\n", "1:6", "quotes around a text"),
        ("a: {b: > 100/s}\n", "1:8", "quotes around a text"),
        ("a: @me\n", "1:4", "quotes around a text"),
        ("a: {b: ${C:-1}}\n", "1:9", "inside { } a variable in quotes"),
        ("a: b: c\n", "1:5", "a space after each colon"),
        ("a: [1\n", "2:1", "expected ',' or ']'"),
        ("a: *nowhere\n", "1:4", "undefined alias"),
        ("a: 1\n---\nb: 2\n", "2:1", "but found another document"),
        ("a: &a [*a]\n", "1:4", "a value that contains itself"),
        ("a: &a {<<: *a}\n", "1:4", "a mapping that contains itself"),
        ("a: {<<: 5}\n", "1:4", "another mapping to merge"),
        ('a: "\\UFFFFFFFF"\n', "1:1", ""),
        ("%YAML 9" + "9" * 5000 + ".1\n---\na: 1\n", "1:1", ""),
        ("a: \x07\n", "1:4", "a character that YAML does not allow"),
        ("a: " + "[" * 30_000, "1:63", "values nested more than 60 deep"),
        ("a: " + "[" * 45 + "]" * 45, "1:43", "values nested more than 40 deep"),
        ("a:\n" + "".join(f"{' ' * n}- \n" for n in range(1, 70)), "61:61", "values nested more than 60 deep"),
        ("a: [" + "1," * 60_000 + "]", "1:100001", "more than 50,000 values"),
        ("a: " + "x" * 2**20, "c.yaml", "at most 1,048,576"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_campaign_file_is_a_mistake_with_its_place(text, place, words):
    began = time.monotonic()
    mistakes = load(text, "c.yaml", environ={}).mistakes
    told = [str(each) for each in mistakes if words in str(each)]
    assert told, mistakes
    assert told[0].split()[0] == (f"c.yaml:{place}" if ":" in place else place)
    assert time.monotonic() - began < 20


def test_an_alias_bomb_is_stopped_before_it_grows(read_text):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(CampaignFileError, match="more than 50,000 values"):
        read_text("\n".join(lines))


def test_thousands_of_mistakes_are_told_in_bounded_time_and_number(mistakes_of, good):
    began = time.monotonic()
    wrong = "".join(f"  op{n}:\n    request: '{{{{ x{n} }}}}'\n    bad{n}: ${{V{n}}}\n" for n in range(5_000))
    text = good.replace("users:\n", f"{wrong}users:\n", 1).replace(
        "[login]", str([f"x{n}" for n in range(5_000)])
    )
    assert len(mistakes_of(text)) == 200
    assert time.monotonic() - began < 30


def test_a_merge_bomb_is_stopped_before_it_grows(read_text):
    lines = ["a0: &a0 {x: 1}"]
    lines += [
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: *a{n - 1}}}" for n in range(1, 30)
    ]
    with pytest.raises(CampaignFileError):
        read_text("\n".join(lines))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"name: \xff\n", "byte 0xff, which is no UTF-8 text"),
        (b"a: 1\nb: \xc3\x28\n", "c.yaml:2:1"),
        ("name: x".encode("utf-16"), "no UTF-8 text"),
        (b"#" * (4 * 2**20 + 1), "more than 4 MiB"),
        (b"name: \x00\n", "a character that YAML does not allow"),
    ],
)
def test_bytes_that_are_no_text_are_a_mistake(infos, tmp_path, raw, words):
    (tmp_path / "c.yaml").write_bytes(raw)
    with pytest.raises(CampaignFileError) as caught:
        read(tmp_path / "c.yaml", phases=infos, environ={})
    assert words in str(caught.value)


def test_a_byte_order_mark_and_windows_line_ends_are_read(infos, tmp_path, good):
    (tmp_path / "c.yaml").write_bytes(b"\xef\xbb\xbf" + good.replace("\n", "\r\n").encode())
    assert read(tmp_path / "c.yaml", phases=infos, environ={}).name == "A campaign"


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\0b"])
def test_a_path_without_a_file_is_a_mistake(infos, tmp_path, name):
    with pytest.raises(CampaignFileError, match="no readable file"):
        read(tmp_path / name, phases=infos, environ={})
