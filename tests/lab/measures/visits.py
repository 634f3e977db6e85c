"""Visits an application as a load balancer does, at a steady rate, each visit with a connection of its own, until its input is closed;
with a rate of 0 one visit, which has to be answered.

A program of its own, run on a load balancer's host: reads one JSON order from its first argument, writes one JSON report:
{"counts": {what became of a visit: how many}, "seconds": of all, "slowest": seconds of the slowest visit that was answered}.
"""

import asyncio
import collections
import json
import ssl
import sys
import time

# Nobody who waits gives up before this.
DEADLINE_SECONDS = 120


class Visits:
    def __init__(self, order: dict) -> None:
        self.order = order
        self.counts: collections.Counter[str] = collections.Counter()
        self.slowest = 0.0
        self.tls = ssl.create_default_context(cafile=order["authorities"])
        self.tls.load_cert_chain(order["certificate"], order["key"])

    async def visit(self, number: int) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                outcome = await self.ask(number)
        except ConnectionRefusedError:
            outcome = "refused"
        except ConnectionResetError:
            outcome = "reset"
        except TimeoutError:
            outcome = "unanswered"
        except (OSError, asyncio.IncompleteReadError) as error:
            outcome = f"{type(error).__name__}: {error}"
        if outcome == "answered":
            self.slowest = max(self.slowest, time.monotonic() - began)
        self.counts[outcome] += 1

    async def ask(self, number: int) -> str:
        reader, writer = await asyncio.open_connection(self.order["address"], self.order["port"], ssl=self.tls)
        try:
            # Each is somebody else, so that nobody comes too often.
            visitor = f"198.18.{number // 250 % 250}.{number % 250 + 1}"
            head = ("GET /livez HTTP/1.1", f"Host: {self.order['public_name']}", f"X-Forwarded-For: {visitor}", "Connection: close")
            writer.write("\r\n".join((*head, "", "")).encode())
            status = await reader.readline()
            await reader.read()
        finally:
            writer.close()
        return "answered" if status.startswith(b"HTTP/1.1 200 ") else f"answered with {status.decode(errors='replace').strip() or 'nothing'}"

    async def at_rate(self, rate: float) -> None:
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        running: set[asyncio.Task] = set()
        began, number = time.monotonic(), 0
        while not ended.done():
            # Late ones are made up for, so that the rate holds.
            while number < (time.monotonic() - began) * rate:
                task = asyncio.create_task(self.visit(number))
                running.add(task)
                task.add_done_callback(running.discard)
                number += 1
            await asyncio.sleep(1 / rate)
        seconds = time.monotonic() - began
        if running:
            await asyncio.wait(running)
        print(json.dumps({"counts": self.counts, "seconds": seconds, "slowest": self.slowest}))


def main() -> None:
    given = json.loads(sys.argv[1])
    visits = Visits(given)
    if given["rate"]:
        return asyncio.run(visits.at_rate(given["rate"]))
    asyncio.run(visits.visit(0))
    if not visits.counts["answered"]:
        sys.exit(f"a visitor: {', '.join(visits.counts)}")


if __name__ == "__main__":
    main()
