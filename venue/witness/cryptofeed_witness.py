"""Has cryptofeed, which we did not write either, listen to the socket of a practice market in
each dialect that it still speaks, and holds every trade it understands against the truth.

It speaks Coinbase's Advanced Trade and Kraken's first WebSocket only, which tells no ids: with
those two there is nothing to compare.

Usage: cryptofeed_witness.py SECONDS EXCHANGE=PORT…"""

import asyncio
import sys

from cryptofeed import FeedHandler, connection
from cryptofeed.connection import RestEndpoint, WebsocketEndpoint
from cryptofeed.defines import SELL, TRADES
from cryptofeed.exchanges import OKX, Binance, Bitstamp, Bybit

from truth import Differs, Truth

FEEDS = {"binance": Binance, "bybit": Bybit, "okx": OKX, "bitstamp": Bitstamp}
SOCKETS = {"binance": "", "bybit": "/v5/public/spot", "okx": "/ws/v5/public", "bitstamp": "/"}
# Binance's aggregates are numbered apart from their trades; each holds one trade here.
ID = {"binance": lambda trade: str(trade.raw["f"])}


# It takes no address but a wss one, and the practice market has no certificate.
encrypted = connection.connect
connection.connect = lambda address, **more: encrypted(address.replace("wss:", "ws:", 1), **more)


def feed(exchange, port, told):
    """A feed of the practice market at a port, which collects what it is told."""
    made = FEEDS[exchange]
    made.rest_endpoints = [RestEndpoint(f"http://127.0.0.1:{port}", routes=made.rest_endpoints[0].routes)]
    made.websocket_endpoints = [
        WebsocketEndpoint(f"wss://127.0.0.1:{port}{SOCKETS[exchange]}", options={"compression": None})
    ]

    async def take(trade, _):
        told.append(
            {
                "id": ID.get(exchange, lambda trade: trade.id)(trade),
                "symbol": trade.symbol.replace("-", "/"),
                "price": trade.price,
                "amount": trade.amount,
                "side": "sell" if trade.side == SELL else "buy",
                "timestamp": round(trade.timestamp * 1000),
            }
        )

    return made(symbols=["BTC-USDT"], channels=[TRADES], callbacks={TRADES: take})


def main(seconds, ports):
    told = {exchange: [] for exchange in ports if exchange in FEEDS}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    handler = FeedHandler(config={"uvloop": False, "log": {"disabled": True}})
    for exchange, trades in told.items():
        handler.add_feed(feed(exchange, ports[exchange], trades))
    handler.run(start_loop=False, install_signal_handlers=False)
    loop.run_until_complete(asyncio.sleep(seconds))
    loop.run_until_complete(handler.stop_async(loop=loop))

    is_true = True
    for exchange, trades in told.items():
        try:
            if len(trades) < seconds:
                raise Differs(f"{len(trades)} trades are heard in {seconds} s")
            held = Truth(exchange, ports[exchange]).hold("BTC/USDT", trades)
            print(f"{exchange:9} {held} heard in {seconds} s")
        except Differs as error:
            print(f"{exchange:9} {error}", file=sys.stderr)
            is_true = False
    return is_true


if __name__ == "__main__":
    named = dict(argument.split("=") for argument in sys.argv[2:])
    sys.exit(0 if main(int(sys.argv[1]), named) else 1)
