"""Requirements as users write them."""

import pytest

from sdt_dask_core.errors import RequirementError
from sdt_dask_core.resolution.question import read_question


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text, name="requirements.txt", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return path

    return written


def read(path):
    question = read_question([], [path])
    return [str(requirement) for requirement in question.requirements]


FILE = """\ufeff# made by hand\r
numpy==2.4.6  # as the driver has it\r
\r
dask[array,dataframe]>=2024.12,<2027 ; python_version >= "3"\r
pywin32 ; sys_platform == "no such platform"\r
boto3==1.43.5 \\\r
    --hash=sha256:00 \\\r
    --hash=sha256:11\r
psycopg2-binary~=2.9\r
acme#egg==1\r
"""


def test_a_file_is_read_as_its_users_have_it(write):
    question = read_question([], [write(FILE.replace("acme#egg==1\r\n", ""))])
    assert [str(requirement) for requirement in question.requirements] == [
        "numpy==2.4.6",
        "dask[array,dataframe]<2027,>=2024.12",
        "boto3==1.43.5",
        "psycopg2-binary~=2.9",
    ]
    assert question.passed_over == ['pywin32 ; sys_platform == "no such platform"']


def test_lines_that_cannot_be_read_are_named_with_their_number(write):
    path = write(FILE + "and more\n")
    with pytest.raises(RequirementError) as caught:
        read(path)
    assert f"{path}, line 10: 'acme#egg==1' cannot be read: " in str(caught.value)
    assert f"{path}, line 11: 'and more' cannot be read: " in str(caught.value)


def test_a_file_may_include_others(write):
    """Relative to itself; one that includes its includer is read once."""
    write("-r ../requirements.txt\nnumpy\n", "more/base.txt")
    path = write("-r more/base.txt\n--requirement=more/base.txt\npandas\n")
    assert read(path) == ["numpy", "pandas"]


def test_an_included_file_that_is_not_there_is_named(write, tmp_path):
    path = write("pandas\n-r absent.txt\n")
    with pytest.raises(RequirementError) as caught:
        read(path)
    assert str(caught.value) == f"{path}, line 2: there is no file {tmp_path / 'absent.txt'}"


def test_constraints_are_kept_apart(write):
    write("numpy<3\n", "limits.txt")
    question = read_question([], [write("-c limits.txt\npandas\n")])
    assert (question.constraints, [str(one) for one in question.requirements]) == (["numpy<3"], ["pandas"])


def test_where_packages_come_from_goes_to_the_tool(write, tmp_path):
    (tmp_path / "wheels").mkdir()
    text = (
        "--index-url https://example.org/simple\n--extra-index-url=https://example.com\n-f wheels\n--no-index\npandas\n"
    )
    assert read_question([], [write(text)]).options == [
        "--index-url https://example.org/simple",
        "--extra-index-url https://example.com",
        f"-f {tmp_path / 'wheels'}",
        "--no-index",
    ]


def test_an_option_that_there_is_not_is_named(write):
    with pytest.raises(RequirementError, match="line 1: there is no option '--indx-url' in a requirements file"):
        read(write("--indx-url https://example.org\n"))


def test_a_file_that_is_no_text_is_told(write):
    with pytest.raises(RequirementError, match="is not UTF-8 text; save it as UTF-8"):
        read(write("pandas\n", encoding="utf-16"))


def test_a_wheel_is_named_by_its_file(write, tmp_path):
    write("", "wheels/acme_plug-1.0-py3-none-any.whl")
    (requirement,) = read_question(["wheels/acme_plug-1.0-py3-none-any.whl[fast]"]).requirements
    assert (requirement.name, requirement.extras) == ("acme-plug", {"fast"})
    assert requirement.url == (tmp_path / "wheels/acme_plug-1.0-py3-none-any.whl").as_uri()


def test_a_wheel_in_a_file_is_found_beside_it(write):
    write("", "more/acme_plug-1.0-py3-none-any.whl")
    path = write("./acme_plug-1.0-py3-none-any.whl\n", "more/requirements.txt")
    assert read(path)[0].endswith("/more/acme_plug-1.0-py3-none-any.whl")


def test_the_address_of_a_wheel_is_enough(write):
    (requirement,) = read_question(["https://example.org/acme_plug-1.0-py3-none-any.whl#sha256=00"]).requirements
    assert (requirement.name, requirement.url) == ("acme-plug", "https://example.org/acme_plug-1.0-py3-none-any.whl")


@pytest.mark.parametrize("text", ["git+https://example.org/acme.git", "acme @ https://example.org/acme.tar.gz"])
def test_an_address_that_would_have_to_be_built_is_refused(text):
    with pytest.raises(RequirementError, match="an address must be that of a wheel; clone or download it"):
        read_question([text])


def test_a_folder_is_a_source(write, tmp_path):
    write("[project]\n", "acme/pyproject.toml")
    (source,) = read_question(["./acme[fast]"]).sources
    assert (source.path, source.extras) == (tmp_path / "acme", "[fast]")


def test_a_folder_without_a_project_is_told(tmp_path):
    with pytest.raises(RequirementError, match=r"is neither a wheel nor a project: it has no pyproject\.toml"):
        read_question([str(tmp_path)])


@pytest.mark.parametrize("text", ["", "acme>", "acme plug", "./absent", "no-wheel.whl"])
def test_what_cannot_be_read_is_told(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequirementError, match="cannot be read: "):
        read_question([text])
