"""The window engine as one writes it first: a ring of whole numbers per ticker.

Reads arrivals (arr,ticker,ts,quantity,price,tradeid), one by one; drops copies
of an id seen within the last 20 s; adds each trade to the bucket of its second;
says a mark once, five seconds after it, when nothing late can come any more.
Writes ticker,mark,price. Prints how long that took, without reading the file.

    ring.py ARRIVALS MARKS_OUT FIRST_MS SECONDS WINDOW_SECONDS
"""

import json
import sys
import time
from collections import deque

LATE_MS = 5_000
REMEMBERED_MS = 20_000
UNITS = 10**8


def units(text):
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(8, "0"))


def main():
    arrivals, out, first_ms, seconds, window = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    trades, names = [], set()
    with open(arrivals) as lines:
        next(lines)
        for line in lines:
            arrived, ticker, ts, quantity, price, tradeid = line.rstrip("\n").split(",")
            trades.append((int(arrived), ticker, int(ts), units(quantity), units(price), tradeid))
            names.add(ticker)

    began = time.perf_counter(), time.process_time()
    # Buckets one behind the other, not reused: simpler, and quicker in Python.
    volume = {name: [0] * (seconds + 7) for name in names}
    notional = {name: [0] * (seconds + 7) for name in names}
    running = {name: [0, 0] for name in names}
    seen, order = set(), deque()
    said = 0
    with open(out, "w") as marks:

        def say_until(mark):
            nonlocal said
            for second in range(said + 1, min(mark, seconds) + 1):
                for name in names:
                    sums, v, n = running[name], volume[name], notional[name]
                    sums[0] += v[second]
                    sums[1] += n[second]
                    if second > window:
                        sums[0] -= v[second - window]
                        sums[1] -= n[second - window]
                    if sums[0]:
                        marks.write(f"{name},{first_ms + 1000 * second},{sums[1] / (sums[0] * UNITS)!r}\n")
                said = second

        for arrived, ticker, ts, quantity, price, tradeid in trades:
            sure = (arrived - LATE_MS - first_ms - 1) // 1000
            if sure > said:
                say_until(sure)
            key = (ticker, tradeid)
            if key in seen:
                continue
            seen.add(key)
            order.append((ts, key))
            while order[0][0] < ts - REMEMBERED_MS:
                seen.discard(order.popleft()[1])
            second = (ts - first_ms + 999) // 1000
            volume[ticker][second] += quantity
            notional[ticker][second] += price * quantity
        say_until(seconds)
    took = {"engine_s": time.perf_counter() - began[0], "processor_s": time.process_time() - began[1]}
    print(json.dumps({"trades": len(trades), **took}))


main()
