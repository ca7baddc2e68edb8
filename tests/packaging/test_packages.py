"""Every way in which people get the project: wheel, sdist, editable, a bare checkout, a zip of one."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]


def run(*command, cwd, path=None, within=300):
    """What the command printed; it must not see the checkout unless `path` says so."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
    }
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=environ | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The files that git has, as a clone would get them, with today's changes."""
    folder = tmp_path_factory.mktemp("checkout")
    names = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, text=True
    )
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def built(checkout, tmp_path_factory):
    """The sdist, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, checkout, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A fresh environment that has the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    run(folder / "venv/bin/pip", "install", "-q", built[0], cwd=folder)
    return folder / "venv" / "bin"


def quick_demo(command, *, cwd, path=None):
    run(*command, "run", "--demo", "--quick", "--only", "load", cwd=cwd, path=path)
    (report,) = cwd.glob("reports/*/report.json")
    return json.loads(report.read_text())["production_readiness"], report.parent


def test_the_installed_wheel_runs_the_demo_campaign_outside_the_checkout(installed, tmp_path):
    readiness, folder = quick_demo([installed / "campaign"], cwd=tmp_path)
    assert readiness["exit_code"] == 0
    assert readiness["score"] >= 90
    page = (folder / "report.html").read_text()
    assert "uPlot" in page
    origin = run(installed / "python", "-c", "import campaign; print(campaign.__file__)", cwd=tmp_path)
    assert "site-packages" in origin


def test_the_wheel_is_small_and_puts_nothing_else_into_site_packages(built):
    wheel, _ = built
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size < 2 * MEGABYTE
    assert {"campaign", "phases"} == {name.split("/")[0] for name in names if ".dist-info/" not in name}
    wanted = {
        "campaign/py.typed",
        "campaign/configs/demo.yaml",
        "campaign/configs/teddy-bear.yaml",
        "campaign/templates/report.html.j2",
        "campaign/templates/vendor/uPlot.iife.min.js",
        "phases/load/partial.html",
    }
    assert wanted <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_builds_the_same_wheel_without_npm(built, tmp_path):
    _, sdist = built
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, sdist, cwd=tmp_path)
    (again,) = tmp_path.glob("*.whl")
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(built[0]).namelist())


def test_an_editable_install_finds_its_phases_and_its_data(installed, checkout, tmp_path):
    run(sys.executable, "-m", "venv", "--system-site-packages", tmp_path / "venv", cwd=tmp_path)
    pip = [tmp_path / "venv/bin/pip", "install", "-q", "--no-deps", "-e", checkout]
    run(*pip, cwd=tmp_path)
    site = run(
        installed / "python",
        "-c",
        "import typer, os; print(os.path.dirname(typer.__path__[0]))",
        cwd=tmp_path,
    )
    out = run(tmp_path / "venv/bin/campaign", "check", "demo", cwd=tmp_path, path=site.strip())
    assert "no mistakes" in out


@pytest.fixture(scope="module")
def bare_python(installed, tmp_path_factory):
    """An environment with all dependencies and without the project itself."""
    run(installed / "pip", "uninstall", "-q", "-y", "campaign", cwd=tmp_path_factory.mktemp("bare"))
    return installed / "python"


def test_a_bare_checkout_runs_without_being_installed(bare_python, checkout, tmp_path):
    readiness, folder = quick_demo([bare_python, "-m", "campaign"], cwd=tmp_path, path=checkout)
    assert readiness["exit_code"] == 0
    assert "<html" in (folder / "report.html").read_text()


@pytest.mark.slow
def test_a_zip_of_a_checkout_runs(bare_python, checkout, tmp_path):
    archive = tmp_path / "campaign.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(checkout.rglob("*")):
            if path.is_file():
                zipped.write(path, path.relative_to(checkout))
    readiness, _ = quick_demo([bare_python, "-m", "campaign"], cwd=tmp_path, path=archive)
    assert readiness["exit_code"] == 0
