from sdt_dask_testing import all_missing_system, constant_system, garbage_system

YEAR = {"years": 1.0}


def test_garbage_is_short_gappy_and_repeatable():
    """Garbage is 200 days long, half of it missing, never negative, and the same for the same seed."""
    system = garbage_system(seed=1)
    assert len(system.power) == 200 * 96
    assert 0.45 < system.power.isna().mean() < 0.55
    assert system.power.min() >= 0
    assert system.power.equals(garbage_system(seed=1).power)
    assert system.truth.outage_days == 66


def test_garbage_takes_options():
    """What makes it garbage can be changed."""
    assert garbage_system(seed=1, missing_fraction=0.0).power.notna().all()


def test_constant():
    """A stuck meter shows one value, at night too."""
    assert set(constant_system(value_kw=2.5, **YEAR).power) == {2.5}


def test_all_missing():
    """Time stamps without one value."""
    system = all_missing_system(**YEAR)
    assert len(system.power) == 365 * 96
    assert system.power.isna().all()
    assert system.truth.missing_fraction == 1
