"""The watch on battery and heat: while it runs, the cap on camera frames is what the phone can bear."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio

from fer_gateway.api.pace import Pace
from fer_gateway.errors import PowerUnknown
from fer_gateway.power import COMMAND, Care, read_battery

LOOK_EVERY_S = 30.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def sparing_battery(pace: Pace, *, wanted: bool) -> AsyncIterator[None]:
    """Look after the battery for the time of the block, where that is wanted."""
    if not wanted:
        yield
        return
    async with anyio.create_task_group() as group:
        group.start_soon(spare_battery, pace)
        yield
        group.cancel_scope.cancel()


async def spare_battery(
    pace: Pace, command: Sequence[str] = (COMMAND,), *, every_s: float = LOOK_EVERY_S
) -> None:
    """Look at the battery again and again, for ever; the cap that `pace` has now is never exceeded.

    A phone that cannot tell keeps its cap; the log says once why.
    """
    usual_fps, care, complaint = pace.max_fps, Care(), ""
    while True:
        try:
            battery = await read_battery(command)
        except PowerUnknown as error:
            if str(error) != complaint:
                complaint = str(error)
                log.warning("battery and heat are not looked after: %s", error)
        else:
            complaint = ""
            caps = [fps for fps in (usual_fps, care.max_fps(battery)) if fps is not None]
            max_fps = min(caps, default=None)
            if max_fps != pace.max_fps:
                pace.max_fps = max_fps
                log.warning(
                    "battery %.0f %%, %.1f C: %s",
                    battery.percent,
                    battery.celsius,
                    "no cap on frames" if max_fps is None else f"at most {max_fps:g} frames a second",
                )
        await anyio.sleep(every_s)
