"""Memory and idle CPU of a real agent with its default engines loaded."""

import argparse
import asyncio
import json
import os
from pathlib import Path

from benching import site

IDLE_S = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(process: int) -> float:
    """User and system seconds so far, of the process and the children it has waited for."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in after_name[11:15]) / _TICKS


def resident_mb(process: int) -> float:
    """Of the process and all its descendants: voices may run in processes of their own."""
    own = Path(f"/proc/{process}/statm").read_text().split()[1]
    pages = int(own) * os.sysconf("SC_PAGE_SIZE") / 1e6
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return pages + sum(resident_mb(int(child)) for child in children)


async def measure(idle_s: float) -> dict[str, float]:
    async with site(phones=1) as running:
        process = running.agent.pid
        before = cpu_s(process)
        await asyncio.sleep(idle_s)
        return {
            "resident_mb": round(resident_mb(process), 1),
            "idle_cpu_percent": round((cpu_s(process) - before) / idle_s * 100, 2),
            "idle_s": idle_s,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench agent", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--seconds", type=float, default=IDLE_S, metavar="N", help=f"of idling ({IDLE_S:.0f})"
    )
    args = parser.parse_args()
    result = asyncio.run(measure(args.seconds))
    if args.json:
        print(json.dumps(result))
        return
    print(f"resident memory  {result['resident_mb']} MB (wanted: under 700)")
    print(f"idle CPU         {result['idle_cpu_percent']} % of a core (wanted: under 2)")


if __name__ == "__main__":
    main()
