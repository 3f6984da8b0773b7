-- Makes final figures the latest of their tickers.
-- One takes the place of an older one, or of a provisional one of its own mark.
-- A final figure is exact: no bound is said of it. How often those held that
-- were said before stays.
insert into latest_vwap_history as held (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, quarantined_trades,
    is_validated, calculated_at
)
select $1, figure.*, true, $10
from unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[],
    $11::bigint[]
) as figure
on conflict (exchange, ticker, interval) do update
set ts = excluded.ts,
    price = excluded.price,
    volume = excluded.volume,
    notional = excluded.notional,
    trades = excluded.trades,
    confirmed_trades = excluded.confirmed_trades,
    quarantined_trades = excluded.quarantined_trades,
    bound_tail_ms = null,
    bound_bps = null,
    bound_unsaid = null,
    bound_marks = null,
    bound_marks_needed = null,
    bound_level = null,
    is_validated = excluded.is_validated,
    calculated_at = excluded.calculated_at
where held.ts < excluded.ts or held.ts = excluded.ts and not held.is_validated
