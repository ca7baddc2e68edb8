"""What a Python user reads of its data: `self.data.city`."""

from __future__ import annotations

from typing import Any

from campaign.target.scope import RenderError, Scope


class Data:
    """The values of one user: what its operations saved, and the items of the feeds of the campaign file.

    A feed's item stays the same within a task. A mapping's keys can be read as members too:
    `self.data.account.email`. A name that is neither saved nor fed raises AttributeError (or KeyError).
    """

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __getitem__(self, name: str) -> Any:
        values = self._scope.values
        if name not in values:
            try:
                self._scope.draw(name)
            except RenderError:
                raise KeyError(f"no value {name!r}: nothing saved it, and no feed has this name") from None
        return _readable(values[name])

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True


class Row(dict[str, Any]):
    """A mapping whose keys can be read as members."""

    def __getattr__(self, name: str) -> Any:
        try:
            return _readable(self[name])
        except KeyError:
            raise AttributeError(f"no {name!r}; there are {', '.join(map(str, self))}") from None


def _readable(value: Any) -> Any:
    return Row(value) if type(value) is dict else value
