"""The tests of `get_data`: valid, the same again, a new frame each time, in any thread and any process."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from sdt_dask_core.keys import Key
from sdt_dask_core.reference import Reference
from sdt_dask_testing.plug_given import PlugGiven, opened
from sdt_dask_testing.series import difference, shares_memory, spoil, unusable
from sdt_dask_testing.verdict import bullets, refuse, require

__all__ = ["PlugReading"]

_THREADS = 4


class PlugReading(PlugGiven):
    """What holds for `get_data` of every plug."""

    def frame_problems(self, frame: Any) -> list[str]:
        """Return what is wrong with a frame besides what a run refuses."""
        return []

    def missing_key_problems(self, error: Exception, key: Key) -> list[str]:
        """Return what is wrong with the error that a missing key raised."""
        return []

    def test_get_data_gives_a_valid_frame(self, contract_reference: Reference, contract_known_key: Key) -> None:
        """No check of a run refuses it."""
        with opened(contract_reference) as hooks:
            frame = hooks.get_data(key=contract_known_key)
            metadata = hooks.system_metadata(key=contract_known_key)
        units = getattr(contract_reference.build(), "units", None)
        reason = unusable(frame, units=units, metadata=metadata)
        problems = [reason] if reason else self.frame_problems(frame)
        require(
            not problems,
            f"the frame of the key {contract_known_key!r} is not what get_data must return:{bullets(problems)}",
        )

    def test_get_data_gives_the_same_frame_twice(self, contract_hooks: Any, contract_known_key: Key) -> None:
        """As long as the source is the same."""
        frames = [contract_hooks.get_data(key=contract_known_key) for _ in range(2)]
        differs = difference(*frames)
        require(
            not differs,
            f"get_data({contract_known_key!r}) gave another frame when it was asked again: {differs}; it must depend "
            "on the key and the source alone",
        )

    def test_get_data_gives_a_new_frame_each_time(self, contract_hooks: Any, contract_known_key: Key) -> None:
        """Whoever got a frame may change it; the next one must not know."""
        first, second = (contract_hooks.get_data(key=contract_known_key) for _ in range(2))
        if not hasattr(first, "columns"):
            pytest.skip(f"get_data returned a {type(first).__name__}, which another test says")
        advice = "keep no frame, or return a deep copy of it: frame.copy()"
        require(
            first is not second, f"get_data({contract_known_key!r}) returned one and the same frame twice; {advice}"
        )
        require(
            not shares_memory(first, second),
            f"two frames of get_data({contract_known_key!r}) share their memory; {advice}",
        )
        if difference(first, second):
            pytest.skip("two frames differ anyway, which another test says")
        spoil(first)
        differs = difference(contract_hooks.get_data(key=contract_known_key), second)
        require(not differs, f"a frame that its reader changed changed the next one: {differs}; {advice}")

    def test_get_data_leaves_the_key_alone(self, contract_hooks: Any, contract_known_key: Key) -> None:
        """The run still needs it; a key may hold lists, which a plug could change in place."""
        for key in (contract_known_key, *with_lists(contract_known_key)):
            given = copy.deepcopy(key)
            with suppress(Exception):  # a plug need not know keys of this shape
                contract_hooks.get_data(key=given)
            require(
                given == key,
                f"get_data was called with the key {key!r} and left it as {given!r}; copy its lists before changing "
                "them: sorted(part), [*part, more]",
            )

    def test_a_missing_key_raises_the_documented_error(self, contract_hooks: Any, contract_missing_key: Key) -> None:
        """A run tells a key that is not there from a source that does not work."""
        error = missing_key_error(contract_hooks, contract_missing_key)
        if error is None:
            refuse(
                f"get_data({contract_missing_key!r}) returned something for a key that is not there; raise "
                "KeyNotFoundError (from sdt_dask_core.errors), or give another missing_key"
            )
        problems = self.missing_key_problems(error, contract_missing_key)
        require(not problems, f"the missing key {contract_missing_key!r} raised {_told(error)}:{bullets(problems)}")

    def test_the_error_of_a_missing_key_pickles(self, contract_hooks: Any, contract_missing_key: Key) -> None:
        """Errors travel from process to process."""
        error = missing_key_error(contract_hooks, contract_missing_key)
        if error is None:
            pytest.skip("the missing key raised nothing, which another test says")
        advice = (
            "raise KeyNotFoundError(message, key=key) itself; a class of your own must be built from (message, "
            "**context) and hold what can be pickled"
        )
        try:
            again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        except Exception as failure:  # noqa: BLE001 - whatever a stranger's error does
            refuse(f"the error {_told(error)} does not pickle: {_told(failure)}; {advice}")
        require(
            type(again) is type(error) and _facts(again) == _facts(error),
            f"the error {_told(error)} is another one after pickling: {_told(again)}; {advice}",
        )

    def test_threads_read_at_once(self, contract_reference: Reference, contract_known_key: Key) -> None:
        """Each with its own instance, as where a run uses threads."""
        with opened(contract_reference) as hooks:
            alone = hooks.get_data(key=contract_known_key)
        barrier = threading.Barrier(_THREADS)

        def read() -> Any:
            try:
                with opened(contract_reference) as hooks:
                    barrier.wait()
                    return hooks.get_data(key=contract_known_key)
            except BaseException:
                barrier.abort()  # else the others would wait for ever
                raise

        with often_switched(), ThreadPoolExecutor(_THREADS) as pool:
            reading = [pool.submit(read) for _ in range(_THREADS)]
        # Compared when the threads have ended: pandas' comparison changes the warning filters, which all threads share.
        wrong = [text for text in (_outcome(alone, future) for future in reading) if text]
        require(
            not wrong,
            f"get_data({contract_known_key!r}) in {_THREADS} threads at once, each with its own instance, went wrong:"
            f"{bullets(dict.fromkeys(wrong))}\nKeep all state in self, none on the class or in the module.",
        )

    def test_a_fresh_process_reads_the_same_frame(
        self, contract_facts: dict[str, Any], contract_known_key: Key
    ) -> None:
        """A run reads in processes of its own."""
        failed = contract_facts["errors"].get("get_data")
        require(not failed, f"get_data({contract_known_key!r}) works here, and in a fresh process it raised {failed}")
        require(
            contract_facts["frame"] == contract_facts["here"]["frame"],
            f"get_data({contract_known_key!r}) gave another frame in a fresh process; it must depend on the key, the "
            "options and the source alone",
        )


def with_lists(key: Key) -> Iterator[Key]:
    """Yield the key with a list in place of its last part, and of every part."""
    parts: list[Any] = [list(part) if isinstance(part, list) else [part] for part in key]
    yield (*key[:-1], [*parts[-1], *parts[-1]])
    yield tuple([*part, *part] for part in parts)


def missing_key_error(hooks: Any, key: Key) -> Exception | None:
    """Return what reading a key raises, None where it raises nothing."""
    try:
        hooks.get_data(key=key)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's method raises
        return error
    return None


@contextmanager
def often_switched() -> Iterator[None]:
    """Let Python switch threads as often as it can, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _outcome(alone: Any, future: Future[Any]) -> str:
    error = future.exception()
    if isinstance(error, threading.BrokenBarrierError):
        return ""  # another one could not be built
    return f"it raised {_told(error)}" if error else difference(alone, future.result())


def _told(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}: {error}"


def _facts(error: BaseException) -> tuple[str, str]:
    return str(error), repr(sorted(vars(error).items(), key=lambda pair: pair[0]))
