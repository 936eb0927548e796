"""How a guest's processors are arranged in sockets, cores and threads."""

from typing import Any

from compute.virt.hardware.kinds import Refused

PARTS = ("sockets", "cores", "threads")
Topology = tuple[int, int, int]

_MOST = 4096


def arrange(vcpus: int, flavor: dict[str, Any], image: dict[str, Any]) -> Topology:
    """Return the arrangement of exactly ``vcpus`` that comes nearest to what was preferred and breaks no limit.

    The image's preference counts before the flavor's; its limits may only be narrower than the flavor's. Raises Refused.
    """
    if not any(f"cpu_{bound}{part}" in side for side in (flavor, image) for bound in ("", "max_") for part in PARTS):
        return vcpus, 1, 1
    if vcpus > _MOST:
        raise Refused(f"At most {_MOST} vCPUs can be arranged.")
    limits = [_limit(part, flavor, image, vcpus) for part in PARTS]
    wanted = [image.get(f"cpu_{part}") for part in PARTS]
    for part, limit, wish in zip(PARTS, limits, wanted, strict=True):
        if wish is not None and wish > limit and (f"cpu_max_{part}" in flavor or f"cpu_max_{part}" in image):
            raise Refused(f"The image wants {wish} CPU {part}; at most {limit} are allowed.")
    if not any(wanted):
        wanted = [flavor.get(f"cpu_{part}") for part in PARTS]
    fitting = [one for one in _products(vcpus) if all(count <= limit for count, limit in zip(one, limits, strict=True))]
    if not fitting:
        raise Refused(
            f"{vcpus} vCPUs cannot be arranged within {limits[0]} sockets, {limits[1]} cores and {limits[2]} threads."
        )
    return max(fitting, key=lambda one: ([count == wish for count, wish in zip(one, wanted, strict=True)].count(True), one))


def _limit(part: str, flavor: dict[str, Any], image: dict[str, Any], vcpus: int) -> int:
    most, wish = flavor.get(f"cpu_max_{part}"), image.get(f"cpu_max_{part}")
    if most is not None and wish is not None and wish > most:
        raise Refused(f"The image allows {wish} CPU {part}; the flavor allows at most {most}.")
    return min(wish or most or vcpus, vcpus)


def _products(vcpus: int) -> list[Topology]:
    divisors = [number for number in range(1, vcpus + 1) if vcpus % number == 0]
    return [
        (sockets, cores, vcpus // sockets // cores)
        for sockets in divisors
        for cores in divisors
        if not (vcpus // sockets) % cores
    ]
