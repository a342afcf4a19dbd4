"""The repository keeps its own promises: what is tracked, what is locked, what is shipped, what the README shows."""

import importlib.resources
import os
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

import shieldwall
from documents_support import Example, blocks, fits, run, stage
from wheel_support import build_wheel, closure

MOST_DISTRIBUTIONS = 20
HOSTS = re.compile(r"\b[\w.-]*(?:pypi|pythonhosted|npmjs|debian)[\w-]*\.(?:org|com|io|net)\b", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.])/(?:opt|work|root)/\w|[.]pyenv")
README = "README.md"


def tracked(root):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def text_of(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    return build_wheel(root, tmp_path_factory.mktemp("wheel"))


@pytest.mark.needs("git")
@pytest.mark.parametrize("pattern", [HOSTS, MACHINE], ids=["hosts of registries", "paths of one machine"])
def test_no_file_names(root, pattern):
    found = [
        f"{path.relative_to(root)}:{number}: {match.group()}"
        for path in tracked(root)
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (match := pattern.search(line))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("see https://packages." + "debian" + ".org/x", HOSTS),
        ("index = " + "pypi" + ".org", HOSTS),
        ("find-links " + "/" + "opt/wheels", MACHINE),
        ("in " + "/" + "root/x", MACHINE),
    ],
)
def test_the_search_for_names_finds_them(line, pattern):
    assert pattern.search(line)


@pytest.mark.parametrize("line", ["../shared/data/x", "src/work/x", "a/root/x", "https://example.org/opt/"])
def test_the_search_for_names_leaves_other_words_alone(line):
    assert not HOSTS.search(line)
    assert not MACHINE.search(line)


def test_the_changelog_has_this_version(root):
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert shieldwall.__version__ in headings


def test_the_licence_is_apache(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    head = (root / "LICENSE").read_text(encoding="utf-8")[:200]
    assert "Apache License" in head
    assert "Version 2.0, January 2004" in head


def test_the_locks_fit_the_project(root):
    checked = subprocess.run([sys.executable, root / "tools" / "check_locks.py"], check=False, capture_output=True)
    assert checked.returncode == 0, checked.stdout.decode()


def test_a_lock_names_versions_and_hashes_only(root):
    locks = sorted(root.glob("requirements*.lock"))
    assert len(locks) == 4
    for lock in locks:
        for line in lock.read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(
                r"#.*|[a-z0-9-]+==[^\s]+( ; [^/\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    # [^/]*", line
            ), f"{lock.name}: {line}"


def test_the_core_is_light(wheel):
    names = closure(wheel)
    assert "numpy" in names
    assert len(names) + 1 <= MOST_DISTRIBUTIONS, sorted(names)


def test_the_wheel_has_every_file_of_the_package(root, wheel):
    source = root / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "shieldwall").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".nbi", ".nbc") and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == files
    assert any(not name.endswith(".py") for name in shipped)


def test_data_and_templates_are_read_as_resources(root):
    package = root / "src" / "shieldwall"
    data = [
        path.relative_to(package)
        for path in package.rglob("*")
        if path.is_file() and {"data", "templates"} & set(path.relative_to(package).parts[:-1])
    ]
    assert data
    for path in data:
        assert importlib.resources.files("shieldwall").joinpath(*path.parts).is_file(), path


def test_every_package_says_what_it_is(root):
    silent = [
        path.relative_to(root).as_posix()
        for path in (root / "src").rglob("__init__.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []


def test_helpers_of_tests_have_names_of_their_own(root):
    names = [path.name for path in (root / "tests").rglob("*_support.py")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.full
def test_help_starts_at_once(tmp_path):
    program = Path(sys.executable).with_name("shieldwall")
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        subprocess.run([program, "--help"], check=True, capture_output=True, cwd=tmp_path)
        taken.append(time.perf_counter() - start)
    assert min(taken) < (0.45 if os.environ.get("CI") else 0.15), f"{min(taken) * 1000:.0f} ms"


def readme_blocks(root):
    return blocks((root / README).read_text(encoding="utf-8"))


def test_help_in_the_readme_is_the_help(root, tmp_path):
    for block in readme_blocks(root):
        for example in block:
            if example.is_help:
                done = run(example.command, tmp_path)
                assert done.returncode == 0, done.stderr
                assert fits(example.shown, done.stdout), f"{README}:{example.line}: {done.stdout}"


@pytest.mark.full
def test_every_example_in_the_readme_runs(root, tmp_path, request):
    found = readme_blocks(root)
    if any(example.needs_shared for block in found for example in block):
        request.getfixturevalue("shared_data")
    clone = stage(root, tmp_path)
    for example in (example for block in found for example in block):
        done = run(example.command, clone)
        place = f"{README}:{example.line}: {example.command}"
        assert done.returncode == 0, f"{place}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        if example.shown:
            assert fits(example.shown, done.stdout), f"{place} prints otherwise:\n{done.stdout}"


def test_blocks_are_commands_and_what_they_print():
    text = (
        "a\n\n```console\n$ shieldwall x --help\nUsage: x\n\n  y\n$ ls\n```\n\n```\n$ make test\n```\n```sh\nls\n```\n"
    )
    assert blocks(text) == [[Example(4, "shieldwall x --help", ("Usage: x", "", "  y")), Example(8, "ls", ())]]
    assert blocks(text)[0][0].is_help


@pytest.mark.parametrize(
    ("shown", "printed", "answer"),
    [
        (("a", "b"), "a\nb\n", True),
        (("a", "b", ""), "a  \nb\n\n", True),
        (("a", "..."), "a\nb\nc\n", True),
        (("...", "c"), "a\nb\nc\n", True),
        (("a", "...", "b"), "a\nb\n", True),
        (("a", "...", "c"), "a\nb\n", False),
        (("a",), "a\nb\n", False),
        (("a",), "b\n", False),
    ],
)
def test_what_is_shown_is_what_is_printed(shown, printed, answer):
    assert fits(shown, printed) is answer
