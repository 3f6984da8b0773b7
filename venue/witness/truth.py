"""The market's own truth, and how what a client tells is held against it."""

import csv
import io
import urllib.parse
import urllib.request
from decimal import Decimal


class Truth:
    """The true trades of one running practice market."""

    def __init__(self, exchange, port):
        self.exchange = exchange
        self.url = f"http://127.0.0.1:{port}"

    def trades(self, symbol):
        """Every true trade of a symbol, by id."""
        query = urllib.parse.urlencode({"ticker": symbol})
        with urllib.request.urlopen(f"{self.url}/truth/trades?{query}", timeout=10) as answer:
            rows = csv.DictReader(io.StringIO(answer.read().decode()))
            return {row["tradeid"]: row for row in rows}

    def hold(self, symbol, told, coarse_times=False):
        """Holds what a client tells, in its order, against the truth: every field of every trade,
        each trade once, and none left out between the first and the last. Returns how many there are."""
        true = self.trades(symbol)
        ids = [trade["id"] for trade in told]
        if len(ids) != len(set(ids)):
            raise Differs(f"{len(ids) - len(set(ids))} of {len(ids)} trades are told twice")
        for trade in told:
            row = true.get(trade["id"])
            if row is None:
                raise Differs(f"{trade} is not true")
            differences = self.differences(symbol, trade, row, coarse_times)
            if differences:
                raise Differs(f"trade {trade['id']}: {'; '.join(differences)}")
        if ids:
            low, high = min(ids, key=int), max(ids, key=int)
            between = [id for id in true if int(low) <= int(id) <= int(high)]
            if len(between) != len(ids):
                raise Differs(f"{len(ids)} trades are told of {len(between)} true ones")
        return len(ids)

    @staticmethod
    def differences(symbol, trade, row, coarse_times):
        """What of a trade is other than it truly was."""
        expected = {
            "symbol": (trade["symbol"], symbol),
            "price": (Decimal(str(trade["price"])), Decimal(row["price"])),
            "amount": (Decimal(str(trade["amount"])), Decimal(row["quantity"])),
            "side": (trade["side"], row["taker"]),
            "timestamp": (int(trade["timestamp"]), int(row["ts"])),
        }
        if coarse_times:
            expected["timestamp"] = tuple(at // 1000 for at in expected["timestamp"])
        return [f"{name} is told as {told} and is {true}" for name, (told, true) in expected.items() if told != true]


class Differs(Exception):
    """A client was told something other than the truth."""
