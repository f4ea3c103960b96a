"""Clouds and rain: a Markov chain of clear, partly cloudy and overcast days, with noise within the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sdt_dask_testing.spec import SystemSpec

__all__ = ["CLEAR", "OVERCAST", "PARTLY", "Weather", "make_weather", "random_stream"]

CLEAR, PARTLY, OVERCAST = 0, 1, 2

_STREAMS = ("days", "clouds", "outages", "gaps", "inverter")

_YEAR = 365  # days after which the weather of balanced years comes again
_WEEKS = 52

_PERSISTENCE = 0.4  # probability that a day is like the one before, whatever the climate says
_PARTLY_SHARE = 0.6  # of the days that are not clear
_HAZE_SIGMA = 0.012  # day-to-day spread of a clear day's energy, by aerosol and water vapour
_HAZE_MEMORY = 0.6  # correlation of haze from one day to the next
# Wind on the panes: 1 m/s cools by some degrees. Without it SDT takes the smooth noon of a clear day for clipping.
_RIPPLE_SIGMA = 0.008
_CLOUD_MINUTES = 45.0  # time over which cloud cover forgets itself


@dataclass(frozen=True, slots=True)
class Weather:
    """The sky over a site.

    Attributes
    ----------
    day_kind : numpy.ndarray of int, shape (n_days,)
        `CLEAR`, `PARTLY` or `OVERCAST`.
    clear_sky_index : numpy.ndarray, shape (n_days, samples_per_day)
        Irradiance as a fraction of that under a clear sky [1].
    has_rain : numpy.ndarray of bool, shape (n_days,)
        Days whose rain cleans the panes.
    """

    day_kind: NDArray[np.int64]
    clear_sky_index: NDArray[np.float64]
    has_rain: NDArray[np.bool_]


def random_stream(seed: int, name: str) -> np.random.Generator:
    """Return the stream of random numbers of one kind, apart from all others of the seed."""
    return np.random.default_rng([seed, _STREAMS.index(name)])


def make_weather(spec: SystemSpec) -> Weather:
    """Draw the weather of a system's record.

    Partly cloudy days are clear between clouds that take most of the beam away; overcast days keep 10 to 45 %, with
    slow changes, and some bring rain. All depends on the seed, the length and the cloudiness alone.
    """
    if not spec.cloudiness:
        kind = np.full(spec.n_days, CLEAR)
        return Weather(kind, np.ones((spec.n_days, spec.samples_per_day)), np.zeros(spec.n_days, dtype=bool))
    rng = random_stream(spec.seed, "days")
    n_drawn = min(_YEAR, spec.n_days) if spec.balanced_years else spec.n_days
    kind = _day_kinds(rng, n_drawn, spec.cloudiness)
    haze = 1 + _HAZE_SIGMA * _autoregressive(rng, (n_drawn, 1), _HAZE_MEMORY)[:, 0]
    level, rain = rng.random((2, n_drawn))
    order = _day_order(rng, n_drawn, spec.n_days)
    index = _clear_sky_index(_cloud_noise(spec, n_drawn), kind, level, haze)
    has_rain = (rain < spec.rain_probability) & (kind == OVERCAST)
    return Weather(kind[order], index[order], has_rain[order])


def _day_kinds(rng: np.random.Generator, n_days: int, cloudiness: float) -> NDArray[np.int64]:
    """Draw a Markov chain whose stationary shares are those asked for, in one go.

    With probability `_PERSISTENCE` a day is like the day before; else it is drawn afresh. So each day is like the
    last fresh one.
    """
    stays, draw = rng.random((2, n_days))
    fresh = np.where(draw >= cloudiness, CLEAR, np.where(draw < cloudiness * _PARTLY_SHARE, PARTLY, OVERCAST))
    is_fresh = stays >= _PERSISTENCE
    is_fresh[0] = True
    last_fresh = np.maximum.accumulate(np.where(is_fresh, np.arange(n_days), 0))
    return np.asarray(fresh[last_fresh], dtype=np.int64)


def _day_order(rng: np.random.Generator, n_drawn: int, n_days: int) -> NDArray[np.int64]:
    """Return which drawn day each day takes its weather from: itself, then each week's anew by a random turn.

    A turn keeps most days beside their neighbours, as a shuffle would not.
    """
    years = [np.arange(n_drawn)]
    while len(years) * n_drawn < n_days:
        weeks = np.array_split(np.arange(n_drawn), _WEEKS)
        years.append(np.concatenate([np.roll(week, int(rng.random() * len(week))) for week in weeks]))
    return np.concatenate(years)[:n_days]


def _clear_sky_index(
    noise: NDArray[np.float64], kind: NDArray[np.int64], level: NDArray[np.float64], haze: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the clear-sky index of each sample, from the noise within days and what is drawn for each day."""
    level = level[:, None]
    clear = 1.0 + _RIPPLE_SIGMA * noise
    # A cloud stands where noise exceeds the threshold, so more of a day is in clouds where this is lower.
    partly = 1.0 - 0.7 / (1 + np.exp(-(noise - (1.2 - 2.0 * level)) / 0.25))
    overcast = (0.1 + 0.35 * level) * np.clip(1 + 0.25 * noise, 0.2, 2.0)
    return np.asarray(np.choose(kind[:, None], [clear, partly, overcast]) * haze[:, None])


def _cloud_noise(spec: SystemSpec, n_days: int) -> NDArray[np.float64]:
    memory = float(np.exp(-spec.interval_minutes / _CLOUD_MINUTES))
    rng = random_stream(spec.seed, "clouds")
    return np.transpose(_autoregressive(rng, (spec.samples_per_day, n_days), memory))


def _autoregressive(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> NDArray[np.float64]:
    """Draw AR(1) noise along the first axis, with mean 0 and variance 1."""
    noise: NDArray[np.float64] = rng.standard_normal(shape)
    noise[1:] *= np.sqrt(1 - memory**2)
    for row in range(1, shape[0]):
        noise[row] += memory * noise[row - 1]
    return noise
