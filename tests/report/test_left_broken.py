"""A target that was left broken: exit code 4 before all else, and nobody can overlook it in any form."""

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from campaign.gate import judge_gate
from campaign.records import NOT_RESTORED, StopReason
from campaign.report import document, html, junit, markdown, terminal
from campaign.runner.verdict import conclude
from campaign.scoring import Policy, score_campaign

LEFT = {
    "what": "stop the container teddy-postgres",
    "why": "the engine gave no answer within 10 s",
    "by_hand": ["docker start teddy-postgres", "docker update --restart always teddy-postgres"],
}


def broken(result, *, stop=StopReason.FINISHED):
    """The same run, whose first phase broke something and could not put it back."""
    first, *rest = result.results
    evidence = replace(first.evidence, facts={**first.evidence.facts, NOT_RESTORED: [LEFT]})
    results = (replace(first, evidence=evidence), *rest)
    policy = Policy()
    score = score_campaign(results, policy)
    gate = judge_gate(results, score, policy=policy, stop=stop)
    return replace(result, results=results, score=score, gate=gate)


@pytest.mark.parametrize("stop", StopReason)
def test_the_exit_code_is_4_whatever_else_happened(all_green, all_phases, stop):
    for result in (all_green, all_phases):
        gate = broken(result, stop=stop).gate
        assert (gate.exit_code, gate.passed, gate.headline) == (4, False, "target not restored")
        assert LEFT["what"] in gate.reasons[0]


def test_a_target_that_is_whole_has_no_such_word(all_green):
    assert "NOT RESTORED" not in printed(all_green).upper()
    for text in (markdown.render(all_green), junit.render(all_green), html.render(all_green)):
        assert "not restored" not in text.lower()


def printed(result):
    console = Console(file=io.StringIO(), width=100)
    console.print(terminal.summary(result, None))
    return console.file.getvalue()


def test_every_form_says_it_first_with_the_commands_to_type(all_green):
    result = broken(all_green)
    for text in (printed(result), markdown.render(result), html.render(result)):
        before = text[: text.index(LEFT["by_hand"][0])].lower()
        assert "the target is not restored" in before
        assert "lower bound" not in before
        assert LEFT["by_hand"][1] in text
        assert LEFT["why"] in text.replace("\\", "")


def test_a_build_server_sees_an_error_of_its_own(all_green):
    root = ET.fromstring(junit.render(broken(all_green)))  # noqa: S314 - our own
    (case,) = root.findall("testsuite[@name='the target is restored']/testcase")
    assert case.get("name") == LEFT["what"]
    assert "\n".join(LEFT["by_hand"]) in case.find("error").text
    assert root.get("errors") == "1"


def test_a_report_that_is_read_again_still_says_so(all_green):
    result = broken(all_green)
    again = document.read_document(document.document(result))
    assert again == result
    judged = conclude(again.run, again.results, monitoring=again.monitoring, policy=Policy())
    assert judged.exit_code == 4
