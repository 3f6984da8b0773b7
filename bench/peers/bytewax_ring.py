"""The window engine in Bytewax: keyed by ticker, with state and code of our own
as its stateful operator asks for, and whole numbers.

The same work as ring.py: drops copies of an id seen within the last 20 s, says
each mark once, five seconds after it.

    bytewax_ring.py ARRIVALS MARKS_OUT FIRST_MS SECONDS WINDOW_SECONDS
"""

import json
import sys
import time
from collections import deque
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.files import FileSink
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.testing import TestingSource, run_main

LATE_MS = 5_000
REMEMBERED_MS = 20_000
UNITS = 10**8
ARRIVALS, OUT = sys.argv[1:3]
FIRST_MS, SECONDS, WINDOW = map(int, sys.argv[3:6])


def units(text):
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(8, "0"))


class Ring(StatefulBatchLogic):
    """One ticker's buckets by second, and its running sums."""

    def __init__(self):
        self.volume = [0] * (SECONDS + 7)
        self.notional = [0] * (SECONDS + 7)
        self.sums = [0, 0]
        self.said = 0
        self.seen, self.order = set(), deque()

    def say_until(self, mark):
        figures, sums = [], self.sums
        for second in range(self.said + 1, min(mark, SECONDS) + 1):
            sums[0] += self.volume[second]
            sums[1] += self.notional[second]
            if second > WINDOW:
                sums[0] -= self.volume[second - WINDOW]
                sums[1] -= self.notional[second - WINDOW]
            if sums[0]:
                figures.append((FIRST_MS + 1000 * second, sums[1] / (sums[0] * UNITS)))
            self.said = second
        return figures

    def on_batch(self, values):
        figures = []
        for arrived, ts, quantity, price, tradeid in values:
            sure = (arrived - LATE_MS - FIRST_MS - 1) // 1000
            if sure > self.said:
                figures += self.say_until(sure)
            if tradeid in self.seen:
                continue
            self.seen.add(tradeid)
            self.order.append((ts, tradeid))
            while self.order[0][0] < ts - REMEMBERED_MS:
                self.seen.discard(self.order.popleft()[1])
            second = (ts - FIRST_MS + 999) // 1000
            self.volume[second] += quantity
            self.notional[second] += price * quantity
        return figures, StatefulBatchLogic.RETAIN

    def on_eof(self):
        return self.say_until(SECONDS), StatefulBatchLogic.DISCARD

    def snapshot(self):
        return None


def read():
    with open(ARRIVALS) as lines:
        next(lines)
        for line in lines:
            arrived, ticker, ts, quantity, price, tradeid = line.rstrip("\n").split(",")
            yield ticker, (int(arrived), int(ts), units(quantity), units(price), tradeid)


trades = list(read())
began = time.perf_counter(), time.process_time()
flow = Dataflow("vwap")
heard = op.input("heard", flow, TestingSource(trades, batch_size=512))
figures = op.stateful_batch("windows", heard, lambda state: Ring())
lines = op.map("lines", figures, lambda said: (said[0], f"{said[0]},{said[1][0]},{said[1][1]!r}"))
op.output("marks", lines, FileSink(Path(OUT)))
run_main(flow)
took = {"engine_s": time.perf_counter() - began[0], "processor_s": time.process_time() - began[1]}
print(json.dumps({"trades": len(trades), **took}))
