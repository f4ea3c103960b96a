"""What is run as code: what the user installed or named, and nothing that merely lies about."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("sdt-dask-*/src/**/*.py"))
    if "templates" not in path.parts
}
TABLE = "timestamp,power\n" + "".join(f"2020-06-01 {hour:02}:00,{hour % 12}\n" for hour in range(24))
#: Modules that some process of a run imports early.
SHADOWS = (
    "pandas",
    "numpy",
    "click",
    "distributed",
    "pickle",
    "signal",
    "socket",
    "json",
    "threading",
    "sitecustomize",
)


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python cannot leave the working folder out")
def test_nothing_in_the_working_folder_is_imported(tmp_path: Path) -> None:
    here, ran = tmp_path / "here", tmp_path / "ran"
    ran.mkdir()
    (here / "data").mkdir(parents=True)
    (here / "data" / "a.csv").write_text(TABLE, encoding="utf-8")
    for name in (*SHADOWS, "dataplug", "client"):
        code = f"from pathlib import Path\nPath({str(ran / name)!r}).touch()\n"
        (here / f"{name}.py").write_text(code, encoding="utf-8")
    program = shutil.which("sdt-dask", path=str(Path(sys.executable).parent))
    asked = ["run", "--plug", "csv", "-p", "path=data", "--analyses", "none", "-c", "n_workers=1"]
    done = subprocess.run([program, *asked], cwd=here, capture_output=True, text=True, timeout=300, check=False)
    assert "1 system" in done.stdout + done.stderr
    assert sorted(path.name for path in ran.iterdir()) == []


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


CALLS = {path: list(calls(tree)) for path, tree in SOURCES.items()}


def found(is_meant: object) -> dict[str, list[str]]:
    """Return the calls that are meant, by file."""
    lines: dict[str, list[str]] = {}
    for path in SOURCES:
        for name, call in CALLS[path]:
            if is_meant(name, call):  # type: ignore[operator]
                lines.setdefault(f"{path.parent.name}/{path.name}", []).append(ast.unparse(call))
    return lines


#: SQLAlchemy's statements, which quote names and pass values as parameters.
EXPRESSIONS = ("delete", "insert", "select")


def is_made_of_text(statement: ast.expr) -> bool:
    """Tell whether a statement is put together from values: anything but a constant, a name, or a constant of ours."""
    if isinstance(statement, ast.JoinedStr):
        values = [part.value for part in statement.values if isinstance(part, ast.FormattedValue)]
        return not all(isinstance(value, ast.Name) and value.id.isupper() for value in values)
    if isinstance(statement, ast.Call) and ast.unparse(statement.func).partition("(")[0] in EXPRESSIONS:
        return False
    if isinstance(statement, ast.Call) and ast.unparse(statement.func) == "text":
        return not isinstance(statement.args[0], ast.Constant)
    return isinstance(statement, (ast.BinOp, ast.Call))


def test_no_statement_of_sql_is_put_together_from_text() -> None:
    executes = ("execute", "executemany", "executescript")
    meant = found(
        lambda name, call: (
            name.rpartition(".")[2] in executes
            and call.args
            and "tool" not in name  # a run, not a statement
            and is_made_of_text(call.args[0])
        )
    )
    assert meant == {}


def test_sql_is_formatted_by_psycopg2_alone() -> None:
    pvdb = [path for path in SOURCES if "sdt_dask_plug_pvdb" in path.parts]
    assert pvdb
    made = [
        ast.unparse(call)
        for path in pvdb
        for name, call in CALLS[path]
        if name == "sql.SQL"
        and not all(isinstance(arg, (ast.Constant, ast.Name, ast.Subscript)) for arg in call.args)
        and not all(isinstance(arg, (ast.Constant, ast.Name, ast.Subscript)) for arg in call.args)
    ]
    assert made == []


def test_nothing_is_unpickled_but_the_code_that_the_driver_sends() -> None:
    loads = (
        "pickle.load",
        "pickle.loads",
        "cloudpickle.load",
        "cloudpickle.loads",
        "dill.loads",
        "joblib.load",
        "marshal.loads",
    )
    meant = found(lambda name, _: name in loads or name.rpartition(".")[2] in ("read_pickle", "Unpickler"))
    # The kit unpickles what it has just pickled itself.
    assert {file for file in meant if not file.startswith("sdt_dask_testing/")} == {"sdt_dask_core/reference.py"}


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("code in a text", ("eval", "exec", "compile")),
        ("a shell", ("os.system", "os.popen", "subprocess.getoutput")),
        ("YAML that makes objects", ("yaml.load", "yaml.unsafe_load", "yaml.full_load")),
        ("archives", ("tarfile.open", "shutil.unpack_archive", "ZipFile.extractall")),
        ("predictable temporary names", ("tempfile.mktemp",)),
    ],
)
def test_no_call_runs(what: str, names: tuple[str, ...]) -> None:
    assert found(lambda name, _: name in names) == {}, what


@pytest.mark.parametrize(("keyword", "value"), [("shell", "True"), ("allow_pickle", "True"), ("verify", "False")])
def test_no_call_is_told_to_be_careless(keyword: str, value: str) -> None:
    assert found(lambda _, call: any(k.arg == keyword and ast.unparse(k.value) == value for k in call.keywords)) == {}


def test_the_lowest_pyarrow_runs_no_code_from_a_file() -> None:
    """CVE-2023-47248 was mended in 14.0.1."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement
    from packaging.version import Version

    (wanted,) = [r for r in map(Requirement, requires("sdt-dask-core") or ()) if r.name == "pyarrow"]
    assert Version("14.0.0") not in wanted.specifier
