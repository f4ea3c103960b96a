"""Accelerations: the same answer as the original, and left out where that is not certain."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from cvxpy.utilities import linalg
from hypothesis import given
from hypothesis import strategies as st

from sdt_dask_core.accelerations import ALL, WITHOUT_SDT, apply_all, sparse_is_diagonal
from sdt_dask_core.accelerations.sparse_is_diagonal import is_diagonal
from sdt_dask_core.child import _accelerate
from sdt_dask_core.left_out import LeftOut

ORIGINAL = linalg.is_diagonal
VALUES = st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e-9, 1e-8, 1.1e-8, np.nan, np.inf, 1e300])


@st.composite
def matrices(draw: st.DrawFn) -> Any:
    """Small square matrices in every sparse format, with entries given more than once."""
    size = draw(st.integers(1, 4))
    place = st.integers(0, size - 1)
    entries = draw(st.lists(st.tuples(place, place, VALUES), max_size=6))
    rows, columns, values = (list(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
    matrix = sp.coo_array((np.array(values, dtype=float), (rows, columns)), shape=(size, size))
    return matrix.asformat(draw(st.sampled_from(["coo", "csc", "csr", "lil", "dok"])))


@given(matrices())
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # infinity less infinity, in both
def test_the_answer_is_that_of_the_original(matrix: Any) -> None:
    assert is_diagonal(matrix) == bool(ORIGINAL(matrix))


@given(st.lists(VALUES, min_size=4, max_size=4))
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_the_answer_for_a_dense_matrix_is_that_of_the_original(values: list[float]) -> None:
    matrix = np.array(values).reshape(2, 2)
    assert is_diagonal(matrix) == bool(ORIGINAL(matrix))


def test_what_is_no_matrix_is_refused_as_by_the_original() -> None:
    for function in (is_diagonal, ORIGINAL):
        with pytest.raises(ValueError, match="Unsupported matrix type"):
            function([[1.0]])


def test_a_large_matrix_is_never_made_dense() -> None:
    assert is_diagonal(sp.eye_array(10**7, format="csc"))


@pytest.mark.parametrize("acceleration", ALL, ids=lambda acceleration: acceleration.NAME)
def test_it_applies_here_and_passes_its_self_test(acceleration: Any) -> None:
    assert acceleration.applies()
    assert acceleration.self_test()


def test_all_take_the_place_of_the_original_in_their_process() -> None:
    code = """
from sdt_dask_core.accelerations import apply_all
from cvxpy.utilities import linalg
applied = apply_all()
from solardatatools import data_handler
from solardatatools.algorithms import shade
print(len(applied.names), applied.left_out, linalg.is_diagonal.__module__)
print(data_handler.LossFactorAnalysis.__mro__[1].__module__, type(shade.DATA_CORPUS).__name__)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == (
        f"{len(ALL)} [] sdt_dask_core.accelerations.sparse_is_diagonal\n"
        "solardatatools.algorithms.loss_factor_analysis LazyTable\n"
    )
    assert linalg.is_diagonal is ORIGINAL


def test_a_changed_original_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(matrix: Any) -> bool:
        return True

    monkeypatch.setattr(linalg, "is_diagonal", changed)
    applied = apply_all(WITHOUT_SDT)
    assert applied.names == []
    assert applied.left_out == ["cvxpy-sparse-is-diagonal does not apply to the installed versions: the original runs"]
    assert linalg.is_diagonal is changed


def test_a_failed_self_test_leaves_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_is_diagonal, "is_diagonal", lambda matrix: True)
    assert apply_all(WITHOUT_SDT).left_out == ["cvxpy-sparse-is-diagonal failed its self-test: the original runs"]
    assert linalg.is_diagonal is ORIGINAL


def test_one_that_raises_leaves_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_is_diagonal, "self_test", lambda: 1 / 0)
    (sentence,) = apply_all(WITHOUT_SDT).left_out
    assert sentence.startswith("cvxpy-sparse-is-diagonal failed with ZeroDivisionError: ")


def test_what_was_left_out_is_said_once_in_a_run(caplog: pytest.LogCaptureFixture) -> None:
    left_out = LeftOut()
    for _ in range(3):
        left_out.look({"accelerations_left_out": ["a failed its self-test: the original runs"]})
    left_out.look({})
    assert [record.getMessage() for record in caplog.records] == [
        "a failed its self-test: the original runs; results are the same, and come more slowly"
    ]


def test_a_child_tells_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_is_diagonal, "self_test", lambda: False)
    own = SimpleNamespace(analyses=(SimpleNamespace(module="my_analyses"),))
    assert _accelerate(own) == {
        "accelerations": [],
        "accelerations_left_out": ["cvxpy-sparse-is-diagonal failed its self-test: the original runs"],
    }
