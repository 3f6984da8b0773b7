-- Writes provisional figures, each with the bound that is said with it, of marks
-- of which nothing was said. That is not looked up: the key refuses a mark that
-- is there, and with it all of them, for whoever looks to write the others.
copy vwap_history (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, quarantined_trades,
    is_validated, calculated_at, provisional_tail_ms, provisional_class, provisional_bound_bps, provisional_unsaid
)
from stdin (format binary)
