"""Has ccxt, which we did not write, load the markets of a practice market in each dialect,
page through its past and listen to its socket, and holds every trade it understands against
the market's truth.

Usage: ccxt_witness.py SECONDS EXCHANGE=PORT…"""

import asyncio
import sys
import time

from clients import PAGE, client, first_question, next_question
from truth import Differs, Truth

SYMBOLS = ["BTC/USDT", "ETH/USDT"]
SYMBOL = SYMBOLS[0]
PAGES = 4
# Bitstamp's REST tells whole seconds.
COARSE = ["bitstamp"]


async def load(exchange, asked):
    """The markets, as many as there are."""
    markets = await asked.load_markets()
    missing = [symbol for symbol in SYMBOLS if symbol not in markets]
    if missing:
        raise Differs(f"{missing} are not among the markets {sorted(markets)}")
    return f"{len(markets)} markets"


async def page_back(exchange, asked, truth):
    """Pages of the past, each joined to the one before."""
    told, question, pages = {}, first_question(exchange), 0
    while question is not None and pages < PAGES:
        page = await asked.fetch_trades(SYMBOL, None, PAGE[exchange], question)
        before = len(told)
        told |= {trade["id"]: trade for trade in page}
        if before and len(told) == before:
            raise Differs(f"the question {question} tells nothing new")
        pages += 1
        question = next_question(exchange, page, list(told.values()))
    held = truth.hold(SYMBOL, list(told.values()), exchange in COARSE)
    if held == 0:
        raise Differs("no trade is told")
    return f"{held} trades on {pages} {'page' if pages == 1 else 'pages'}"


async def page_forward(exchange, asked, truth):
    """Forward through time, where the exchange can be asked so: Kraken by its token, Binance
    by the time of aggregates, each of which holds one trade here."""
    told = {}
    if exchange == "kraken":
        since = str((int(time.time()) - 240) * 1_000_000_000)
        for _ in range(PAGES):
            page = await asked.fetch_trades(SYMBOL, None, 300, {"since": since, "count": 300})
            told |= {trade["id"]: trade for trade in page}
            # It hangs the token of the next page behind the last row. A page may end among trades of
            # one instant, and the token then leads past the others: so from just before it.
            since = str(int(page[-1]["info"][-1]) - 1)
    elif exchange == "binance":
        since = (int(time.time()) - 240) * 1000
        for _ in range(PAGES):
            page = await asked.fetch_trades(SYMBOL, since, 300, {"fetchTradesMethod": "publicGetAggTrades"})
            told |= {trade["info"]["f"]: trade | {"id": str(trade["info"]["f"])} for trade in page}
            since = page[-1]["timestamp"]
    else:
        return None
    return f"{truth.hold(SYMBOL, list(told.values()))} forward"


async def listen(exchange, asked, truth, seconds):
    """Every trade of some seconds, as the socket tells it."""
    told = []
    parameters = {"channel": "trades-all"} if exchange == "okx" else {}
    if exchange == "okx":
        # It wants keys for this channel, though the documentation does not say so.
        asked.authenticate = lambda *_: asyncio.sleep(0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wait = max(until - time.monotonic(), 0.01)
        try:
            told += await asyncio.wait_for(asked.watch_trades(SYMBOL, None, None, dict(parameters)), wait)
        except TimeoutError:
            break
    if len(told) < seconds:
        raise Differs(f"{len(told)} trades are heard in {seconds} s")
    return f"{truth.hold(SYMBOL, told)} heard in {seconds} s"


async def witness(exchange, port, seconds):
    """All of it, for one exchange. Returns whether all was true."""
    asked, truth = client(exchange, port), Truth(exchange, port)
    try:
        found = [await load(exchange, asked), await page_back(exchange, asked, truth)]
        found.append(await page_forward(exchange, asked, truth))
        found.append(await listen(exchange, asked, truth, seconds))
        print(f"{exchange:9} {', '.join(part for part in found if part)}")
        return True
    except Exception as error:  # a client's errors are of many kinds, and each is a finding
        print(f"{exchange:9} {type(error).__name__}: {error}", file=sys.stderr)
        return False
    finally:
        await asked.close()


async def main(seconds, ports):
    plays = [witness(exchange, int(port), seconds) for exchange, port in ports]
    return all(await asyncio.gather(*plays))


if __name__ == "__main__":
    named = [argument.split("=") for argument in sys.argv[2:]]
    sys.exit(0 if asyncio.run(main(int(sys.argv[1]), named)) else 1)
