-- Writes final figures of marks of which nothing was said.
-- That was looked up before; the key refuses a mark of which something was said since.
copy vwap_history (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades,
    is_validated, calculated_at, final_at, entry, link, final_watermark
)
from stdin (format binary)
