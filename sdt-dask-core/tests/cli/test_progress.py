import logging

import pytest

from sdt_dask_core import Progress
from sdt_dask_core.cli.progress import PlainLines, watching
from sdt_dask_core.pace import Pace, duration


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def after(done, total=100, *, threads=2, failed=0):
    progress = Progress(total=total, failed=failed, n_threads=threads)
    progress.grades["ok"] = done
    return progress


def test_no_guess_before_every_thread_finished_a_key(clock):
    pace = Pace(clock)
    pace.update(after(0))
    clock.now = 30
    pace.update(after(1))
    assert pace.seconds_left is None
    assert "left" not in pace.text


def test_guess_is_what_the_pace_so_far_gives(clock):
    pace = Pace(clock)
    pace.update(after(0))
    clock.now = 60
    pace.update(after(25))
    assert pace.seconds_left == 180
    assert pace.text == "25/100: 25 ok, 0 caution, 0 withheld, 0 failed; about 3 min left"


def test_keys_of_before_a_resume_do_not_make_it_look_fast(clock):
    pace = Pace(clock)
    pace.update(after(0, failed=80))
    clock.now = 10
    pace.update(after(2, failed=80))
    assert pace.seconds_left == 90


def test_guess_grows_while_nothing_finishes(clock):
    pace = Pace(clock)
    pace.update(after(0))
    clock.now = 60
    pace.update(after(50))
    clock.now = 120
    assert pace.seconds_left == 120


def test_plain_lines_are_few(clock):
    """A start, at most one each tenth or half a minute, an end."""
    said = []
    lines = PlainLines(said.append, clock)
    for done in range(1001):
        clock.now += 1
        lines.observe(after(done, 1000))
    lines.end()
    assert said[0] == "running 1000 systems on 2 threads"
    assert said[-1] == "1000/1000: 1000 ok, 0 caution, 0 withheld, 0 failed; took 17 min"
    assert 20 < len(said) < 50


def test_nothing_is_said_where_nothing_ran(capsys):
    with watching(quiet=False):
        pass
    with watching(quiet=True) as observe:
        assert observe is None
    assert capsys.readouterr().err == ""


def test_warnings_are_shown_once_and_failed_keys_not_at_all(capsys):
    with watching(quiet=True):
        for _ in range(3):
            logging.getLogger("sdt_dask_core.addons").warning("addon x failed \x1b[2J")
            logging.getLogger("sdt_dask_core.runner").warning("key y failed")
    assert capsys.readouterr().err == "warning: addon x failed \\x1b[2J\n"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "0 s"), (59.7, "1 min"), (180, "3 min"), (7800, "2 h 10 min"), (7200, "2 h")]
)
def test_times_read_as_people_say_them(seconds, shown):
    assert duration(seconds) == shown
