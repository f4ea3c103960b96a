"""What a synthetic system is asked to be, and what is then known of it."""

from __future__ import annotations

from dataclasses import dataclass

from sdt_dask_core.errors import OptionError

__all__ = ["SystemSpec", "SystemTruth"]

_MINUTES_PER_DAY = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSpec:
    """What a synthetic system is asked to be.

    Parameters
    ----------
    seed : int
        Of everything random, not negative. Each kind of randomness has its own stream, so that the same seed with
        another outage or another soiling rate keeps its weather.
    system_id : str
        Its name in files.
    start : str
        First day, YYYY-MM-DD.
    years : float
        Length of the record [yr of 365.25 days], rounded to whole days.
    interval_minutes : int
        Sampling interval [min]; a divisor of 1440.
    latitude, longitude : float
        Site [°, north and east positive].
    tilt, azimuth : float
        Of the panes [°; azimuth 180 is south].
    capacity_kw : float
        AC power at 1000 W/m² on the panes and 25 °C in the cells, when new, clean and not clipped [kW].
    clip_fraction : float or None
        Limit of the inverter as a fraction of `capacity_kw`; None for no limit. A clear noon reaches about 0.9.
    degradation_pct_per_year : float
        Change of performance per year, relative to the year before [%/yr]; negative is a loss.
    soiling_rate_per_day : float
        Performance lost per dry day, until rain cleans the panes [1/day].
    rain_probability : float
        Probability that an overcast day brings rain [1].
    cloudiness : float
        Mean share of days that are not clear [1]; 0 is a sky that never changes, and without rain.
    balanced_years : bool
        Whether every year has the same days of weather, each week's in another order. So the luck of single years
        does not add to the trend, as a run of hazy months would; Solar Data Tools' interval does not allow for that.
    outage_days : int
        Whole days without any power, anywhere in the record.
    capacity_step : (float, int) or None
        ``(fraction, day)``: from that day on (0 is the first) only this fraction of the capacity works.
    time_shift : (float, int) or None
        ``(hours, day)``: from that day on the clock of the data is ahead by so much [h]; a multiple of the interval.
    missing_fraction : float
        Share of the record that is missing, in gaps of two hours [1].

    Raises
    ------
    OptionError
        A value is out of its range.
    """

    seed: int
    system_id: str = "system"
    start: str = "2019-01-01"
    years: float = 3.0
    interval_minutes: int = 15
    latitude: float = 35.0
    longitude: float = -117.0
    tilt: float = 25.0
    azimuth: float = 180.0
    capacity_kw: float = 5.0
    clip_fraction: float | None = None
    degradation_pct_per_year: float = -1.0
    soiling_rate_per_day: float = 0.0005
    rain_probability: float = 0.5
    cloudiness: float = 0.55
    balanced_years: bool = True
    outage_days: int = 0
    capacity_step: tuple[float, int] | None = None
    time_shift: tuple[float, int] | None = None
    missing_fraction: float = 0.0

    def __post_init__(self) -> None:
        hours, _ = self.time_shift or (0.0, 0)
        claims = {
            "seed": self.seed >= 0,
            "years": self.n_days >= 1,
            "interval_minutes": self.interval_minutes > 0 and _MINUTES_PER_DAY % self.interval_minutes == 0,
            "capacity_kw": self.capacity_kw > 0,
            "clip_fraction": self.clip_fraction is None or self.clip_fraction > 0,
            "degradation_pct_per_year": self.degradation_pct_per_year > -100,  # noqa: PLR2004 - nothing would be left
            "rain_probability": 0 <= self.rain_probability <= 1,
            "cloudiness": 0 <= self.cloudiness <= 1,
            "outage_days": 0 <= self.outage_days <= self.n_days,
            "missing_fraction": 0 <= self.missing_fraction <= 1,
            "time_shift": (hours * 60) % self.interval_minutes == 0,
        }
        for name, is_true in claims.items():
            if not is_true:
                value = getattr(self, name)
                raise OptionError(f"{name}={value!r} is out of its range; see the docstring of SystemSpec", option=name)

    @property
    def n_days(self) -> int:
        """Days in the record."""
        return round(self.years * 365.25)

    @property
    def samples_per_day(self) -> int:
        """Samples in a day."""
        return _MINUTES_PER_DAY // self.interval_minutes

    @property
    def utc_offset_hours(self) -> int:
        """Offset of local standard time from UTC [h]: that of the site's nautical time zone, 15° wide."""
        return round(self.longitude / 15)

    @property
    def clip_kw(self) -> float | None:
        """Limit of the inverter [kW]; None for no limit."""
        return None if self.clip_fraction is None else self.clip_fraction * self.capacity_kw


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTruth:
    """What is known of a synthetic system.

    Energies are those of the whole record, before samples go missing. As in Solar Data Tools' report a loss is
    negative. A loss is the energy with the factor minus the energy without it, everything else (clipping too) as it
    is; Solar Data Tools attributes by Shapley values instead, which differ by products of two losses.

    Attributes
    ----------
    degradation_rate_pct_per_year : float
        Change per year of 365.25 days, relative to the earlier year [%/yr]. Solar Data Tools divides by the later
        year: -1 reads -1.01 there, -2 reads -2.04.
    energy_kwh : float
        Energy produced [kWh].
    degradation_loss_kwh, soiling_loss_kwh, capacity_change_loss_kwh, outage_loss_kwh, clipping_loss_kwh : float
        Energy lost by the factor [kWh], zero or negative (degradation may be a gain).
    soiling_loss_fraction : float
        Soiling loss, positive, as a fraction of the energy without soiling [1].
    capacity_levels_kw : tuple of float
        Levels of the capacity, in order of time [kW].
    clear_day_fraction : float
        Share of days with a clear sky [1].
    clipped_day_fraction : float
        Share of days on which the inverter's limit acts in one sample or more [1].
    outage_days : int
        Whole days without power.
    missing_fraction : float
        Share of samples that are missing [1].
    """

    degradation_rate_pct_per_year: float
    energy_kwh: float
    degradation_loss_kwh: float
    soiling_loss_kwh: float
    capacity_change_loss_kwh: float
    outage_loss_kwh: float
    clipping_loss_kwh: float
    soiling_loss_fraction: float
    capacity_levels_kw: tuple[float, ...]
    clear_day_fraction: float
    clipped_day_fraction: float
    outage_days: int
    missing_fraction: float
