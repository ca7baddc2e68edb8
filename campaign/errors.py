"""The exceptions that may cross module borders.

CampaignError                 anything we raise on purpose: a slug (heading in docs/errors.md), an exit code
├── ConfigurationError        exit 2  the campaign file, an option or an environment variable is wrong
├── RefusedError              exit 2  we may not do this: a host outside the guard, production unasked, ...
├── TargetUnreachableError    exit 3  the target did not answer before the campaign began
├── GeneratorError            exit 3  our own load generator could not be started
└── ReportError               exit 2  an earlier report cannot be read, or a new one cannot be written

A failed request, a crashed phase or a dead worker is not an exception but data in the result.
"""

from __future__ import annotations

from typing import ClassVar


class CampaignError(Exception):
    """Anything we raise on purpose; its text is one clear message for the user."""

    slug: ClassVar[str] = "campaign-error"
    exit_code: ClassVar[int] = 2


class ConfigurationError(CampaignError):
    """The campaign file, an option or an environment variable is wrong; nothing was run."""

    slug = "configuration"


class RefusedError(CampaignError):
    """We may not do this, and did not: the message says what would allow it."""

    slug = "refused"


class TargetUnreachableError(CampaignError):
    """The target did not answer before the campaign began, so nothing could be judged."""

    slug = "target-unreachable"
    exit_code = 3


class GeneratorError(CampaignError):
    """Our own load generator could not be started, so nothing could be measured."""

    slug = "generator"
    exit_code = 3


class ReportError(CampaignError):
    """A report cannot be read or written; the message names the file and the reason."""

    slug = "report"
