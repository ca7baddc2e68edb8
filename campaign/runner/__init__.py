"""Runs a campaign: plan first, then exactly one result per phase whatever happens, then the verdict.

The whole experiment, in order (`campaign.runner.campaign.run_campaign` reads the same way):

1. make the plan: which phases, in which order, which are left out and why
2. ask the guard whether this target may get traffic at all
3. ask the target whether it is there; without an answer nothing is judged (exit 3)
4. watch the machine, the target's process and ourselves, once a second, from here on
5. for each phase: collect evidence (recorded on disk as it goes), then judge what is there
6. score the findings, judge the gate, write the reports
"""
