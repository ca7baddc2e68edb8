"""A release gate in Python: run a campaign file, print what to mend, exit with the verdict's code.

python examples/gate.py campaign.yaml
"""

import sys

import campaign
from campaign.errors import CampaignError


def main(file: str) -> int:
    """Run the campaign in `file` and say what stands between it and a release."""
    try:
        result = campaign.run(file)
    except CampaignError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{result.run.name}: {result.gate.headline}, at least {result.score.bounds.lower_bound:.0f} of 100")
    for each in result.improvements[:5]:
        print(f"  {each.finding.outcome.value}: {each.finding.message}")
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "campaign.yaml"))
