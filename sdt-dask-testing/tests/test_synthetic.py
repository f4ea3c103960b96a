import dataclasses
import itertools
import time

import numpy as np
import pandas as pd
import pytest

import sdt_dask_testing
from sdt_dask_core.errors import OptionError
from sdt_dask_testing import SystemSpec, synthetic_fleet, synthetic_system
from sdt_dask_testing.weather import make_weather

SHORT = {"years": 0.5}


def daily(system):
    power = system.power
    return power.groupby(power.index.normalize()).sum() * system.spec.interval_minutes / 60


def test_all_is_complete_and_sorted():
    """Every public name can be had, in sorted order."""
    names = sdt_dask_testing.__all__
    assert all(hasattr(sdt_dask_testing, name) for name in names)
    assert names == sorted(names, key=lambda name: (not name[0].isupper(), name))


def test_same_seed_same_system():
    """Equal specs give equal series and equal truth."""
    one, two = (synthetic_system(seed=3, outage_days=4, missing_fraction=0.1, **SHORT) for _ in range(2))
    pd.testing.assert_series_equal(one.power, two.power, check_exact=True)
    assert one.truth == two.truth


def test_series_is_what_it_was():
    """The numbers of a seed do not change by accident; change these on purpose only."""
    power = synthetic_system(seed=1, years=0.1).power
    assert power.sum() == pytest.approx(3285.484, abs=1e-3)
    assert power.iloc[48] == pytest.approx(0.67447, abs=1e-5)


def test_other_seed_other_weather():
    """Seeds differ in their weather."""
    one, two = (synthetic_system(seed=seed, **SHORT) for seed in (1, 2))
    assert not one.power.equals(two.power)


def test_global_random_state_is_left_alone():
    """NumPy's global generator is neither read nor moved."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the global generator is what is tested
    synthetic_system(seed=1, **SHORT)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_option_leaves_weather_as_it_was():
    """Outages take days away and change no other day."""
    plain = synthetic_system(seed=1, **SHORT)
    out = synthetic_system(seed=1, outage_days=10, **SHORT)
    up = out.power > 0
    assert (out.power[up] == plain.power[up]).all()


def test_night_is_zero():
    """Nights are exactly zero, days are not, and noon is near midday of local standard time."""
    power = synthetic_system(seed=1, cloudiness=0.0, **SHORT).power
    hour = power.index.hour
    assert (power[(hour < 4) | (hour >= 20)] == 0).all()
    assert (power[(hour >= 10) & (hour < 14)] > 0).all()
    assert power.groupby(hour).mean().idxmax() in (11, 12)


def test_power_is_plausible():
    """A clear noon reaches 80 to 105 % of the capacity and a year gives 1200 to 2200 kWh per kW."""
    system = synthetic_system(seed=1, years=1.0)
    assert 0.8 < system.power.max() / 5.0 < 1.05
    assert 1200 < system.truth.energy_kwh / 5.0 < 2200


def test_index_is_regular_and_named():
    """Time stamps are naive, regular, start on the first day and are named."""
    index = synthetic_system(seed=1, start="2020-02-28", years=3 / 365.25, interval_minutes=5).power.index
    assert index.tz is None
    assert index.name == "timestamp"
    assert index[0] == pd.Timestamp("2020-02-28")
    assert len(index) == 3 * 288


@pytest.mark.parametrize("rate", [-1.0, -3.0, 0.5])
def test_last_year_to_first_is_the_degradation(rate):
    """Without clouds and dust the third year gives (1 + rate)² of the first."""
    system = synthetic_system(seed=1, cloudiness=0.0, soiling_rate_per_day=0.0, degradation_pct_per_year=rate)
    energy = daily(system).to_numpy()
    expected = (1 + rate / 100) ** (730 / 365.25)
    assert energy[730:1095].sum() / energy[:365].sum() == pytest.approx(expected, rel=2e-4)
    assert system.truth.degradation_rate_pct_per_year == rate


def test_losses_add_up_to_what_a_spotless_system_gives():
    """Energy minus each loss is the energy of the same system without that factor."""
    asked = {"seed": 2, "outage_days": 8, "soiling_rate_per_day": 0.002, "capacity_step": (0.8, 90), **SHORT}
    truth = synthetic_system(**asked).truth
    clean = synthetic_system(**asked | {"soiling_rate_per_day": 0.0}).truth
    whole = synthetic_system(**asked | {"capacity_step": None}).truth
    up = synthetic_system(**asked | {"outage_days": 0}).truth
    assert truth.energy_kwh - truth.soiling_loss_kwh == pytest.approx(clean.energy_kwh)
    assert truth.energy_kwh - truth.capacity_change_loss_kwh == pytest.approx(whole.energy_kwh)
    assert truth.energy_kwh - truth.outage_loss_kwh == pytest.approx(up.energy_kwh)
    assert truth.soiling_loss_fraction == pytest.approx(1 - truth.energy_kwh / clean.energy_kwh)


def test_energy_of_truth_is_that_of_the_series():
    """The true energy is the sum of the power over time."""
    system = synthetic_system(seed=1, **SHORT)
    assert system.truth.energy_kwh == pytest.approx(daily(system).sum(), rel=1e-6)


def test_clipping_caps_power():
    """No power lies above the limit, and the days at the limit are those of the truth."""
    system = synthetic_system(seed=1, clip_fraction=0.6, **SHORT)
    daily_max = system.power.groupby(system.power.index.normalize()).max()
    assert 2.99 < daily_max.max() <= 3.0
    assert (daily_max >= 3.0 * 0.998).mean() == pytest.approx(system.truth.clipped_day_fraction, abs=0.02)
    assert system.truth.clipping_loss_kwh < 0


def test_no_clipping_by_default():
    """Without a limit nothing is clipped and nothing lost by it."""
    truth = synthetic_system(seed=1, **SHORT).truth
    assert truth.clipped_day_fraction == 0
    assert truth.clipping_loss_kwh == 0


def test_outages_are_days_without_power():
    """As many whole days are zero as were asked for."""
    system = synthetic_system(seed=1, outage_days=7, **SHORT)
    assert (daily(system) == 0).sum() == 7 == system.truth.outage_days


def test_capacity_step():
    """Power falls to the fraction on the day, and the truth has both levels."""
    plain, stepped = (synthetic_system(seed=1, capacity_step=step, **SHORT) for step in (None, (0.5, 100)))
    ratio = (daily(stepped) / daily(plain)).to_numpy()
    np.testing.assert_allclose(ratio, [1.0] * 100 + [0.5] * (len(ratio) - 100), rtol=1e-4)
    assert stepped.truth.capacity_levels_kw == (5.0, 2.5)


def test_time_shift_moves_the_clock_from_its_day():
    """A clock that is an hour ahead stamps the same power an hour later."""
    plain, shifted = (synthetic_system(seed=1, time_shift=shift, **SHORT).power for shift in (None, (1.0, 100)))
    first = 100 * 96
    assert (shifted.iloc[:first] == plain.iloc[:first]).all()
    np.testing.assert_array_equal(shifted.iloc[first + 4 :], plain.iloc[first:-4])


def test_missing_fraction():
    """The asked share of samples is missing and the rest is as it was."""
    plain, gappy = (synthetic_system(seed=1, missing_fraction=share, **SHORT) for share in (0.0, 0.2))
    assert gappy.power.isna().mean() == pytest.approx(0.2, abs=0.001) == gappy.truth.missing_fraction
    there = gappy.power.notna()
    assert (gappy.power[there] == plain.power[there]).all()


def test_cloudiness_is_the_share_of_days_that_are_not_clear():
    """A long record has the clear days that were asked for."""
    truth = synthetic_system(seed=1, years=10, interval_minutes=60, cloudiness=0.6).truth
    assert truth.clear_day_fraction == pytest.approx(0.4, abs=0.03)


def test_southern_site_has_its_summer_in_january():
    """South of the equator, panes to the north, January gives more than July."""
    system = synthetic_system(seed=1, years=1, latitude=-33.0, longitude=151.0, azimuth=0.0, cloudiness=0.0)
    energy = daily(system)
    assert system.spec.utc_offset_hours == 10
    assert energy.iloc[:31].sum() > 1.3 * energy.iloc[181:212].sum()


@pytest.mark.parametrize(("units", "factor"), [("W", 1000), ("kW", 1), ("MW", 0.001)])
def test_units_of_a_frame(units, factor):
    """A frame is in the unit that it names."""
    system = synthetic_system(seed=1, **SHORT)
    frame = system.frame(units=units)
    assert frame.attrs["units"] == units
    np.testing.assert_allclose(frame["power"], system.power * factor)


def test_clocks_of_a_frame():
    """UTC stamps are eight hours later in California, aware ones are the same instants."""
    system = synthetic_system(seed=1, **SHORT)
    utc, aware = (system.frame(clock=clock) for clock in ("utc", "aware"))
    assert utc.index[0] == pd.Timestamp("2019-01-01 08:00")
    assert utc.index.name == aware.index.name == "timestamp"
    assert (aware.index.tz_convert("UTC").tz_localize(None) == utc.index).all()


def test_frame_is_the_callers_own():
    """Changing a frame changes no other."""
    system = synthetic_system(seed=1, **SHORT)
    mine = system.frame()
    mine.loc[:, "power"] = -1.0
    assert (system.power >= 0).all()
    assert (system.frame()["power"] >= 0).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"seed": -1},
        {"years": 0},
        {"interval_minutes": 7},
        {"capacity_kw": 0},
        {"cloudiness": 1.5},
        {"missing_fraction": -0.1},
        {"outage_days": 10_000},
        {"time_shift": (0.1, 3)},
    ],
)
def test_bad_value_is_refused_by_name(bad):
    """A value out of range is an error that names it."""
    with pytest.raises(OptionError, match=next(iter(bad))):
        synthetic_system(**{"seed": 1, **bad})


def test_fleet_is_lazy_and_does_not_depend_on_its_size():
    """A huge fleet costs nothing until asked, and starts as a small one does."""
    huge = itertools.islice(synthetic_fleet(10**9, seed=5, **SHORT), 2)
    small = synthetic_fleet(2, seed=5, **SHORT)
    for one, two in zip(huge, small, strict=True):
        assert one.spec == two.spec
        pd.testing.assert_series_equal(one.power, two.power)


def test_fleet_ranges():
    """A pair is a range, whole where both ends are; a value is for all; each system has its own seed and name."""
    fleet = list(synthetic_fleet(6, seed=1, outage_days=(1, 3), tilt=(5.0, 6.0), clip_fraction=0.7, **SHORT))
    assert all(system.spec.outage_days in {1, 2, 3} for system in fleet)
    assert all(5 <= system.spec.tilt <= 6 and system.spec.clip_fraction == 0.7 for system in fleet)
    assert len({system.spec.seed for system in fleet}) == 6
    assert [system.spec.system_id for system in fleet][:2] == ["system_00000", "system_00001"]


def test_fleet_refuses_unknown_field():
    """A misspelt range is an error before any system is made."""
    with pytest.raises(OptionError, match="tillt"):
        synthetic_fleet(1, seed=1, tillt=(1, 2))


def test_fast_enough():
    """Three years at 15 minutes take well under 1.5 s of this process (0.1 s here)."""
    synthetic_system(seed=0, **SHORT)  # imports pvlib
    started = time.process_time()
    synthetic_system(seed=1)
    assert time.process_time() - started < 1.5


def test_spec_is_frozen():
    """A spec cannot be changed behind the truth's back."""
    system = synthetic_system(seed=1, **SHORT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        system.spec.seed = 2


def test_balanced_years_have_the_same_days():
    """With balanced years the weeks of each year hold the same days; without, they do not."""
    shares = {}
    for is_balanced in (True, False):
        weather = make_weather(SystemSpec(seed=1, years=3, interval_minutes=60, balanced_years=is_balanced))
        kinds = weather.day_kind[:1095].reshape(3, 365)[:, :8]  # 365 days make 52 weeks, the first with 8
        shares[is_balanced] = [tuple(np.sort(kind)) for kind in kinds]
        assert not (kinds[0] == kinds[1]).all()
    assert len(set(shares[True])) == 1
    assert len(set(shares[False])) == 3
