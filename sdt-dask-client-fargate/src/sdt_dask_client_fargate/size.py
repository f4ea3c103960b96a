"""Sizes of Fargate tasks: which memory goes with which number of vCPUs.

See https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdt_dask_core.errors import OptionError

__all__ = ["Size", "worker_size"]

_GIB = 1024  # MiB

#: Memory [MiB] by CPU units, of which 1024 are one vCPU.
_PAIRS: dict[int, tuple[int, ...]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(n * _GIB for n in range(1, 5)),
    1024: tuple(n * _GIB for n in range(2, 9)),
    2048: tuple(n * _GIB for n in range(4, 17)),
    4096: tuple(n * _GIB for n in range(8, 31)),
    8192: tuple(n * _GIB for n in range(16, 61, 4)),
    16384: tuple(n * _GIB for n in range(32, 121, 8)),
}
# Of one worker thread, where none was given: what SDT takes for some years of five-minute data, with room.
_MEMORY_PER_THREAD = 4 * _GIB


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a task.

    Parameters
    ----------
    cpu : int
        CPU units, 1024 to a vCPU.
    memory : int
        Memory [MiB].
    """

    cpu: int
    memory: int

    def check(self, cpu_option: str, memory_option: str) -> None:
        """Refuse a pair that Fargate does not have.

        Raises
        ------
        OptionError
            It has no such pair; the message names the nearest ones.
        """
        if self.cpu not in _PAIRS:
            known = ", ".join(str(cpu) for cpu in _PAIRS)
            raise OptionError(
                f"client 'fargate': {cpu_option}={self.cpu} is no size of a Fargate task; CPU units, 1024 to a vCPU, "
                f"are one of {known}"
            )
        if self.memory not in _PAIRS[self.cpu]:
            raise OptionError(
                f"client 'fargate': Fargate has no task with {_vcpu(self.cpu)} and {_gib(self.memory)}; nearest are "
                f"{' and '.join(map(str, _nearest(self)))}; change {cpu_option} (1024 to a vCPU) or {memory_option}"
            )

    def __str__(self) -> str:
        return f"{_vcpu(self.cpu)} with {_gib(self.memory)}"


def worker_size(threads: int, cpu: int | None, memory: float | None) -> Size:
    """Return the size of a worker; by default one vCPU and 4 GiB for each thread.

    Parameters
    ----------
    threads : int
        Threads of the worker.
    cpu : int, optional
        CPU units.
    memory : float, optional
        Memory [GiB].
    """
    units = cpu or next((units for units in _PAIRS if units >= 1024 * threads), max(_PAIRS))
    wanted = _MEMORY_PER_THREAD * threads if memory is None else round(memory * _GIB)
    if memory is None and units in _PAIRS:
        wanted = next((each for each in _PAIRS[units] if each >= wanted), _PAIRS[units][-1])
    size = Size(units, wanted)
    size.check("worker_cpu", "memory")
    return size


def _nearest(size: Size) -> list[Size]:
    """Return the nearest memory for that CPU, and the nearest CPU for at least that memory."""
    same_cpu = Size(size.cpu, min(_PAIRS[size.cpu], key=lambda memory: abs(memory - size.memory)))
    enough = [
        Size(cpu, next(each for each in pairs if each >= size.memory))
        for cpu, pairs in _PAIRS.items()
        if pairs[-1] >= size.memory
    ]
    other_cpu = sorted(enough, key=lambda each: (each.memory - size.memory, abs(each.cpu - size.cpu)))
    return list(dict.fromkeys([same_cpu, *other_cpu[:1]]))


def _vcpu(units: int) -> str:
    return f"{units / 1024:g} vCPU"


def _gib(memory: int) -> str:
    return f"{memory / _GIB:g} GiB"
