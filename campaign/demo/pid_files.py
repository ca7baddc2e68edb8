"""Which process runs a part of the demo, in a file that others read."""

from pathlib import Path


def write_pid(file: Path, process: int) -> None:
    """Say in `file` which process it is; readers see the old text or the new one."""
    new = file.with_suffix(".new")
    new.write_text(f"{process}\n")
    new.replace(file)
