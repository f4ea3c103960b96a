"""The offline tree of the bucket, and a real S3 server over it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules that the tests share

from pvdaq_tree import Tree, make_tree

from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_testing.http_server import Fault, Proxy, serve_proxy, unchanged
from sdt_dask_testing.s3_server import serve_folder

#: Retries are few, so that what fails fails soon.
QUICK: dict[str, Any] = {"max_attempts": 2}


@pytest.fixture(scope="module", autouse=True)
def _another_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have an AWS configuration that is broken and points elsewhere: it must not matter."""
    config = tmp_path_factory.mktemp("aws") / "config"
    config.write_text("no configuration")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CONFIG_FILE", str(config))
        patch.setenv("AWS_PROFILE", "nobody")
        patch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The tree, only to be read."""
    return make_tree(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def url(tree: Tree) -> Iterator[str]:
    """The address of the store that holds the tree."""
    with serve_folder(tree.root.parent) as address:
        yield address


@pytest.fixture
def new_plug() -> Iterator[Callable[..., PvdaqPlug]]:
    """Build plugs as a run does, and close them."""
    from sdt_dask_core.options import options_of

    made: list[PvdaqPlug] = []

    def build(**options: Any) -> PvdaqPlug:
        option_set = options_of(PvdaqPlug, kind="plug", name="pvdaq")
        made.append(PvdaqPlug(**option_set.build_arguments(option_set.resolve({**QUICK, **options}, environment={}))))
        return made[-1]

    yield build
    for plug in made:
        plug.close()


@pytest.fixture
def plug(url: str, new_plug: Callable[..., PvdaqPlug]) -> PvdaqPlug:
    """The plug over the tree."""
    return new_plug(endpoint_url=url)


@pytest.fixture
def proxy(url: str) -> Iterator[Callable[..., Proxy]]:
    """Start proxies before the store, with what they do to each answer."""
    with ExitStack() as running:

        def start(fault: Fault = unchanged) -> Proxy:
            server = running.enter_context(serve_proxy(url))
            server.always = fault
            return server

        yield start
