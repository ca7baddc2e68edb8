"""Makes the roles of a shard: which classes its kinds of users are, and what they work with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from campaign.load.python.foreign import find_class
from campaign.load.python.requests import RequestMaker
from campaign.load.python.role import Role
from campaign.load.python.user import User
from campaign.load.python.workshop import Workshop
from campaign.load.spec import LoadPlan
from campaign.load.step import Step
from campaign.load.timeouts import Timeouts
from campaign.target.devices import device_named
from campaign.target.spec import UserSpec


def find_classes(users: Iterable[UserSpec]) -> dict[str, type[User]]:
    """The classes of the kinds that are written in Python, imported, by kind. Raises PythonUserError."""
    return {user.name: find_class(user.python, user.folder) for user in users if user.python}


def cast_role(
    cls: type[User], spec: UserSpec, *, steps: Mapping[str, Step], plan: LoadPlan, timeouts: Timeouts
) -> Role:
    """The role of one kind; `steps` are all operations of the campaign file, as its device does them."""
    device = device_named(spec.device, plan.vocabulary.devices)
    headers = {} if device is None else device.headers
    requests = RequestMaker(plan.target, timeouts, headers=headers)
    return Role(cls, spec, Workshop(steps, requests))
