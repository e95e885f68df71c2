"""What releases say of themselves: pylock.toml as uv writes it, METADATA as wheels have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging import tags

from djhop.declared import asking, book, reading
from djhop.declared.reading import Release
from djhop.processes.process import Command, Completed

PYLOCK = """\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.9.18"

[[packages]]
name = "Django_Storages"
version = "1.11.1"
sdist = { url = "https://index.invalid/a/django-storages-1.11.1.tar.gz", \
upload-time = 2020-12-24T00:37:39Z, hashes = { sha256 = "c8" } }
wheels = [{ url = "https://index.invalid/b/django_storages-1.11.1-py3-none-any.whl", \
upload-time = 2020-12-23T23:37:37Z, hashes = { sha256 = "1f" } }]

[[packages]]
name = "old"
version = "1.0"
sdist = { url = "https://index.invalid/old-1.0.tar.gz", hashes = { sha256 = "c8" } }

[[packages]]
name = "local"
directory = { path = "." }
"""
METADATA = """\
Metadata-Version: 2.1
Name: django-mptt
Version: 0.12.0
Classifier: Framework :: Django
Classifier: Framework :: Django :: 2.2
Classifier: Framework :: Django :: 3
Classifier: Framework :: Django :: 3.1
Classifier: Programming Language :: Python :: 3
Requires-Python: >=3.6

Classifier: Framework :: Django :: 9.9
"""


def release(*wheels: str, **more: object) -> Release:
    return Release(package="a", version="1", wheels=wheels, **more)  # type: ignore[arg-type]


def test_files_and_the_day_of_the_first_upload_are_read() -> None:
    storages, old = reading.files(PYLOCK)
    assert storages == Release(
        package="django-storages",
        version="1.11.1",
        wheels=("django_storages-1.11.1-py3-none-any.whl",),
        uploaded="2020-12-23",
    )
    assert (old.wheels, old.uploaded) == ((), "")


def test_what_a_wheel_declares_is_read_from_its_head_alone() -> None:
    read = reading.with_metadata(release(), METADATA)
    assert (read.series, read.requires_python) == (("2.2", "3.1"), ">=3.6")


@pytest.mark.parametrize(
    ("series", "says"),
    [(None, "unknown"), ((), "none"), (("3.2",), "others"), (("3.2", "4.2"), "support")],
)
def test_what_a_release_says_of_a_series(series: tuple[str, ...] | None, says: str) -> None:
    assert release(series=series).says("4.2") == says


def test_a_release_without_a_wheel_for_this_python_must_be_built() -> None:
    platform = next(iter(tags.platform_tags()))
    binary = f"a-1-cp39-cp39-{platform}.whl"
    assert not release(binary).built_on("3.9")
    assert release(binary).built_on("3.10")
    assert release().built_on("3.9")
    assert not release("a-1-py2.py3-none-any.whl").built_on("3.13")
    assert release("a-1-py2-none-any.whl").built_on("3.13")
    assert not release(f"a-1-cp36-abi3-{platform}.whl").built_on("3.12")
    assert release("a-1-cp39-cp39-nosuch_1_0.whl", "nonsense.whl").built_on("3.9")


class Uv:
    """Answers `uv pip compile` and `uv pip install --target`; notes what it was asked."""

    def __init__(self, broken: bool = False) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.broken = broken

    def run(self, command: Command) -> Completed:
        argv = command.argv
        self.asked.append(argv)
        if not self.broken and argv[2] == "compile":
            lines = Path(argv[-1]).read_text().splitlines()
            python = "cp39" if "3.9" in argv[argv.index("--python") + 1] else "cp310"
            Path(argv[argv.index("-o") + 1]).write_text("".join(map(entry(python), lines)))
        if not self.broken and argv[2] == "install":
            for pin in argv[argv.index("--python") + 2 :]:
                name, _, version = pin.partition("==")
                folder = Path(argv[argv.index("--target") + 1], f"{name}-{version}.dist-info")
                folder.mkdir()
                (folder / "METADATA").write_text(METADATA)
        return Completed(argv=argv, returncode=int(self.broken), seconds=0.1)


def entry(python: str):  # type: ignore[no-untyped-def]
    def write(line: str) -> str:
        name, _, version = line.partition("==")
        version = version or "9"
        wheel = (
            f"{name}-{version}-{python}-none-any.whl" if name == "pil" else "a-1-py3-none-any.whl"
        )
        files = f'wheels = [{{ url = "https://index.invalid/{wheel}" }}]'
        return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{files}\n'

    return write


def pages() -> list[book.Page]:
    return [
        book.Page(
            interpreter=f"/opt/python{python}",
            python=python,
            pins={"app": version, "pil": "8"},
            described=frozenset({"app"}),
        )
        for python, version in (("3.9", "1"), ("3.10", "2"))
    ]


def site(uv: Uv, tmp_path: Path) -> asking.Site:
    return asking.Site(spawner=uv, uv="/bin/uv", env={}, cwd="/", folder=tmp_path, options=("-q",))


def test_a_book_has_every_release_of_a_path_and_the_newest(tmp_path: Path) -> None:
    uv = Uv()
    read = book.read(pages(), site(uv, tmp_path))
    assert {(r.package, r.version, r.series) for r in read.releases} == {
        ("app", "1", ("2.2", "3.1")),
        ("app", "2", ("2.2", "3.1")),
        ("pil", "8", None),  # nobody wants to know
    }
    assert [(r.package, r.version) for r in read.newest] == [("app", "9")]
    # Each lock lists only the wheels for its own Python.
    assert read.built({"pil": "8"}, "3.9") == read.built({"pil": "8"}, "3.10") == ()
    assert all("-q" in argv for argv in uv.asked)
    assert list(tmp_path.iterdir()) == []


def test_a_book_is_empty_where_uv_fails_and_nothing_is_raised(tmp_path: Path) -> None:
    read = book.read(pages(), site(Uv(broken=True), tmp_path))
    assert read == book.Book()
    assert read.find("app", "1").says("4.2") == "unknown"
