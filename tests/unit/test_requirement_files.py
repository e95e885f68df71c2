"""pip's requirement files, and single requirements in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from djhop.errors import UsageError
from djhop.target import requirement_files, stated


def write(root: Path, **files: str | bytes) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def texts(root: Path, name: str = "a.txt") -> list[str]:
    return [item.text for item in requirement_files.read(root / name, root).requirements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Django==4.2\n", ["Django==4.2"]),
        ("  Django == 4.2  # pinned\n\n# nothing\n", ["Django == 4.2"]),
        (
            "Django==4.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nsix\n",
            ["Django==4.2", "six"],
        ),
        ("a\\\n==1\n", ["a==1"]),
        ("a==1 \\\n# why\nb==2\n", ["a==1", "b==2"]),
        ("a==1 \\", ["a==1"]),
        (
            "celery[redis]>=5; python_version < '3.9'\n",
            ["celery[redis]>=5; python_version < '3.9'"],
        ),
        ("x @ https://e.org/x-1.0.tar.gz\n", ["x @ https://e.org/x-1.0.tar.gz"]),
        (
            "https://e.org/x_y-1.0-py3-none-any.whl\n",
            ["x-y @ https://e.org/x_y-1.0-py3-none-any.whl"],
        ),
        ("git+https://e.org/o/lib.git@v1#egg=lib\n", ["lib @ git+https://e.org/o/lib.git@v1"]),
        (
            "-e git+https://e.org/o/r.git@v1#egg=lib[a]&subdirectory=sub\n",
            ["lib[a] @ git+https://e.org/o/r.git@v1#subdirectory=sub"],
        ),
        (
            "git+https://github.com/o/lib.git@main\n",
            ["lib @ git+https://github.com/o/lib.git@main"],
        ),
        ("git+git@github.com:o/lib.git#egg=lib\n", ["lib @ git+ssh://git@github.com/o/lib.git"]),
        (
            "https://github.com/django/django/archive/main.tar.gz\n",
            ["django @ https://github.com/django/django/archive/main.tar.gz"],
        ),
        ("--no-binary :all:\n--pre\n--require-hashes\nsix\n", ["six"]),
        ("\ufeffDjango==4.2\r\nsix\r\n", ["Django==4.2", "six"]),
        ("Django==4.2\n".encode("utf-16"), ["Django==4.2"]),
        ("# café\nDjango==4.2\n".encode("latin-1"), ["Django==4.2"]),
        ("", []),
    ],
)
def test_lines(tmp_path: Path, text: str | bytes, expected: list[str]) -> None:
    write(tmp_path, a_txt=text)
    assert texts(tmp_path) == expected


def test_included_files_are_relative_to_the_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        requirements__test_txt="-r base.txt\n--requirement=../more.txt\n-rbase.txt\npytest\n",
        requirements__base_txt="Django==4.2\n-c pins.txt\n",
        requirements__pins_txt="six==1.16\n",
        more_txt="attrs\n",
    )
    contents = requirement_files.read(tmp_path / "requirements/test.txt", tmp_path)
    assert [(item.text, item.place) for item in contents.requirements] == [
        ("Django==4.2", "requirements/base.txt:1"),
        ("attrs", "more.txt:1"),
        ("pytest", "requirements/test.txt:4"),
    ]
    assert [item.text for item in contents.constraints] == ["six==1.16"]
    assert contents.files == (
        "requirements/test.txt",
        "requirements/base.txt",
        "requirements/pins.txt",
        "more.txt",
    )


def test_index_options_are_kept_aside(tmp_path: Path) -> None:
    write(tmp_path, a_txt="-i https://e.org/simple\n--extra-index-url=https://u:p@e.org\nsix\n")
    contents = requirement_files.read(tmp_path / "a.txt", tmp_path)
    assert contents.options == ("-i https://e.org/simple", "--extra-index-url=https://u:p@e.org")


@pytest.mark.parametrize("line", ["-e .", ".", "./", "-e ..", "--editable=.", ".[dev, test]"])
def test_the_project_itself(tmp_path: Path, line: str) -> None:
    write(tmp_path, requirements__a_txt=f"{line}\n")
    (tmp_path / "setup.py").write_text("")
    contents = requirement_files.read(tmp_path / "requirements/a.txt", tmp_path)
    (local,) = contents.locals
    assert local.path == tmp_path
    assert local.extras == (("dev", "test") if "[" in line else ())
    assert contents.requirements == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("six\n-r nowhere.txt\n", "a.txt:2: there is no file nowhere.txt"),
        ("-r .\n", "a.txt:1: there is no file ."),
        ("-r a.txt\n", "a.txt:1: the files include each other: a.txt → a.txt"),
        ("six\n\nthis is not one\n", "a.txt:3: 'this is not one' is not a requirement"),
        ("Django>=2.2<3\n", "a.txt:1: 'Django>=2.2<3' is not a requirement"),
        ("./nowhere\n", "a.txt:1: './nowhere' is not a requirement"),
        ("--frobnicate\n", "a.txt:1: '--frobnicate' is not an option"),
        ("six --frobnicate\n", "a.txt:1: '--frobnicate' cannot follow a requirement"),
        ("git+https://u:secret@e.org/\n", "a.txt:1: 'git+https://***@e.org/' does not say"),
        ("-e\n", "a.txt:1: '-e' is not an option"),
        ("<<<<<<< HEAD\n", "a.txt:1: '<<<<<<< HEAD' is not a requirement"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, a_txt=text)
    with pytest.raises(UsageError) as caught:
        requirement_files.read(tmp_path / "a.txt", tmp_path)
    assert str(caught.value).startswith(message)


def test_a_longer_circle(tmp_path: Path) -> None:
    write(tmp_path, a_txt="-r b.txt\n", b_txt="six\n-c c.txt\n", c_txt="-r a.txt\n")
    with pytest.raises(UsageError, match=r"^c\.txt:1: .*: a\.txt → b\.txt → c\.txt → a\.txt$"):
        requirement_files.read(tmp_path / "a.txt", tmp_path)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://user:pass@e.org/x", "https://***@e.org/x"),
        ("https://token@e.org/x https://e.org/@y", "https://***@e.org/x https://e.org/@y"),
        ("https://e.org", "https://e.org"),
    ],
)
def test_credentials_are_hidden(text: str, hidden: str) -> None:
    assert stated.credentials_hidden(text) == hidden


LINES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(
            [
                "-r a.txt",
                "-r b.txt",
                "-c b.txt",
                "-e .",
                ".",
                "Django==4.2",
                "six \\",
                "--hash=x",
                "#",
                "-e git+https://e/x#egg=y",
                "https://[",
                "x @ https://[::1",
                "-i",
                "a;b",
                "a[",
                "/",
                "~",
            ]
        ),
    ),
    max_size=6,
).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(text=LINES)
@example(text="\x00")
@example(text="./\x00")
@example(text="-r \x00")
@example(text="git+://")
@example(text="file:")
@example(text="a" * 5000)
@example(text="x @ y z")
@example(text="https://e/#egg=\x00")
def test_any_text_is_read_or_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "any-requirements"
    root.mkdir(exist_ok=True)
    (root / "a.txt").write_bytes(text.encode("utf-8", errors="surrogatepass"))
    (root / "b.txt").write_text("six==1\n")
    try:
        contents = requirement_files.read(root / "a.txt", root)
    except UsageError as error:
        assert str(error).startswith(("a.txt:", "b.txt:"))
    else:
        for item in (*contents.requirements, *contents.constraints):
            assert Requirement(item.text).name
