"""Every probe of who is who can fail: a service that asks nobody fails all of them."""

import pytest
from careless import ROLES, SESSIONS, campaign_file, careless
from family import judged

from campaign.records import Outcome

NOTHING = {"resources": {}, "allow": {}, "consent": {}, "deletion": {}}
OTHERS = [
    "isolation", "consent", "deletion", "crowd", "retention", "audio", "parties", "content", "quotas",
    "transport",
]  # fmt: skip

SAID = {
    "parent.no_token": "me without a token was answered (200)",
    "parent.garbage": "me was answered to a token with nonsense",
    "parent.tampered_subject": "another's claims under its own signature (200, as parent B1)",
    "parent.alg_none": "me was answered to a token with alg none",
    "parent.weak_secret": "the key that parent's token is signed with is 'secret'",
    "parent.expired": "after it was made was answered",
    "parent.refresh_reuse": "refresh took a refresh token that was used before",
    "parent.after_logout": "after logout was answered",
    "parent.after_password_change": "after the password was changed in another sign-in was answered",
    "parent.after_deletion": "after remove was answered",
    "ids.id": "id is counted up",
    "mass_assignment.change": "its owner sees is_admin: true in me",
    "excessive.me": "me shows parent password_hash",
    "functions.guest.statistics": "statistics with guest S2's token was answered (200)",
    "page_size.list": "list with limit=1000000 gave 5,000 items at once (100 allowed)",
}


@pytest.fixture(scope="module")
def found():
    with careless() as url:
        return judged(url, file=campaign_file(url), roles=ROLES, sessions=SESSIONS, skip=OTHERS, **NOTHING)[0]


@pytest.mark.parametrize("check", SAID)
def test_a_careless_service_fails_every_probe(found, check):
    finding = found[f"sessions.{check}"]
    assert finding.outcome is Outcome.FAILED, finding.message
    assert SAID[check] in finding.message
    assert finding.remedy


def test_nothing_else_is_said_but_that_nobody_visits_it(found):
    others = {check for check in found if check.startswith("sessions.")} - {
        f"sessions.{each}" for each in SAID
    }
    assert others == {"sessions.fixation"}
    assert found["sessions.fixation"].outcome is Outcome.INCONCLUSIVE
