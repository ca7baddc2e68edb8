"""Finds and imports the class that a campaign file names: `my_users.PowerTraveler`, beside the file."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Collection, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from campaign.errors import ConfigurationError
from campaign.load.python.blame import told
from campaign.load.python.user import User


class PythonUserError(ConfigurationError):
    """A Python class that cannot be a kind of user; `found` and `allowed` are phrases, `names` are those that
    were perhaps meant.
    """

    slug = "python-user"

    def __init__(self, found: str, allowed: str = "", names: Collection[str] = ()) -> None:
        super().__init__(f"{found}; allowed: {allowed}" if allowed else found)
        self.found = found
        self.allowed = allowed
        self.names = tuple(names)


def find_class(path: str, folder: str) -> type[User]:
    """The class `module.Class`, for good: `folder` goes first where Python looks for modules.

    What the module prints goes to the standard error. Raises PythonUserError.
    """
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    return class_in(path, folder)


def class_in(path: str, folder: str) -> type[User]:
    """The class `module.Class`, from wherever Python finds the module now. Raises PythonUserError."""
    module_name, _, class_name = path.rpartition(".")
    module = _imported(module_name, folder, wanted=class_name)
    users = [name for name, each in vars(module).items() if _is_user(each) and each.__module__ == module_name]
    found = getattr(module, class_name, None)
    if found is None:
        raise PythonUserError(
            f"{class_name!r}, which is not in {_shown(module)}",
            f"a class of it: {_listed(users)}",
            [f"{module_name}.{each}" for each in users],
        )
    if not _is_user(found):
        what = f"{class_name!r}, which does not extend campaign.User"
        raise PythonUserError(what, f"class {class_name}(campaign.User)")
    cls: type[User] = found
    return cls


def _imported(name: str, folder: str, *, wanted: str) -> ModuleType:
    _forget_namesake(name.partition(".")[0], folder)
    importlib.invalidate_caches()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _broken(name, error) from error
        beside = [each.stem for each in Path(folder or ".").glob("*.py")]
        raise PythonUserError(
            f"the module {error.name!r}, which is neither beside the campaign file nor installed",
            f"module.Class; beside the file: {_listed(beside)}",
            [f"{each}.{wanted}" for each in beside],
        ) from error
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _broken(name: str, error: BaseException) -> PythonUserError:
    return PythonUserError(
        f"the module {name!r}, which cannot be imported: {told(error)}", "a module that Python can import"
    )


def _forget_namesake(top: str, folder: str) -> None:
    """Let go of a module of this name that came from elsewhere, where `folder` has one of its own."""
    known = sys.modules.get(top)
    if known is None or _lies_in(known, folder) or PathFinder.find_spec(top, [folder]) is None:
        return
    for name in [each for each in sys.modules if each == top or each.startswith(f"{top}.")]:
        del sys.modules[name]


@contextlib.contextmanager
def visiting(folder: str) -> Iterator[None]:
    """A context in which modules of `folder` are found; what was imported from there in it is gone
    afterwards, and what it took the place of is back.
    """
    modules, places = dict(sys.modules), list(sys.path)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = places
        for name, module in list(sys.modules.items()):
            if module is not modules.get(name) and _lies_in(module, folder):
                del sys.modules[name]
        for name, module in modules.items():
            sys.modules.setdefault(name, module)


def _lies_in(module: ModuleType, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and Path(str(file)).resolve().is_relative_to(Path(folder or ".").resolve())


def _is_user(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, User) and value is not User


def _shown(module: ModuleType) -> str:
    return Path(module.__file__).name if module.__file__ else module.__name__


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:12]) or "there is none"
