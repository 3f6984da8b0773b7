"""ccxt's clients, pointed at a practice market: what each wants to be told about addresses,
channels and pages. Nothing of how they read answers is changed."""

import ccxt.pro

# What they call what we call so.
NAMES = {"coinbase": "coinbaseexchange"}

# Rows on a page, where a client asks for that many.
PAGE = {"binance": 1000, "bybit": 60, "coinbase": 1000, "kraken": 1000, "okx": 100, "bitstamp": None}


def client(exchange, port):
    """A client of the practice market at a port."""
    rest, socket = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    made = getattr(ccxt.pro, NAMES.get(exchange, exchange))({"enableRateLimit": True, "newUpdates": True})
    urls = made.urls["api"]
    if exchange == "binance":
        urls["public"] = f"{rest}/api/v3"
        urls["ws"]["spot"] = f"{socket}/ws"
        # It will not ask for historicalTrades without a key, though the exchange does.
        made.apiKey = "none"
        made.has["fetchCurrencies"] = False
        made.options["fetchMarkets"] = {"types": ["spot"]}
    elif exchange == "bybit":
        for name in urls:
            if isinstance(urls[name], str):
                urls[name] = rest
        urls["ws"]["public"]["spot"] = f"{socket}/v5/public/spot"
        made.options["fetchMarkets"] = {"types": ["spot"]}
    elif exchange == "coinbase":
        urls["public"] = rest
        urls["ws"] = f"{socket}/"
    elif exchange == "kraken":
        urls["public"] = rest
        urls["ws"]["publicV2"] = f"{socket}/v2"
    elif exchange == "okx":
        urls["rest"] = rest
        urls["ws"] = f"{socket}/ws/v5"
        made.options["fetchMarkets"] = {"types": ["spot"]}
    elif exchange == "bitstamp":
        urls["public"] = f"{rest}/api"
        urls["ws"] = f"{socket}/"
    return made


def first_question(exchange):
    """The parameters of the question for the newest page."""
    return {
        "binance": {"fetchTradesMethod": "publicGetHistoricalTrades"},
        "okx": {"method": "publicGetMarketHistoryTrades", "type": "1"},
        "bitstamp": {"time": "minute"},
    }.get(exchange, {})


def next_question(exchange, page, told):
    """The parameters of the question for the page before what was told so far, or, at Kraken,
    after; none where there is no further page."""
    oldest = min(int(trade["id"]) for trade in told)
    if exchange == "binance":
        return first_question(exchange) | {"fromId": max(oldest - PAGE[exchange], 0)}
    if exchange == "coinbase":
        return {"after": str(oldest)}
    if exchange == "okx":
        return first_question(exchange) | {"after": str(oldest)}
    return None
