"""The READMEs, whose code blocks run as those of the documentation do, beside a folder ``data`` with two systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_blocks import code_blocks, enter_folder, leave_folder

from sdt_dask_testing import synthetic_system, write_fleet

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("sdt-dask-*/README.md"))]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_code_blocks_run(readme: Path) -> None:
    document = code_blocks().parse(readme)
    enter_folder(document.namespace)
    try:
        names = ("TAEFC1044741", "ZT162185000441C1203")
        write_fleet(".", [synthetic_system(seed=n, system_id=name, years=0.17) for n, name in enumerate(names)])
        examples = list(document.examples())
        for example in examples:
            example.evaluate()
    finally:
        leave_folder(document.namespace)
    assert examples
