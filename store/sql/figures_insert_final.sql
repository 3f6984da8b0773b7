-- Makes figures final, keeping what was said of each mark before.
-- A figure that is final already is never changed here, whatever is given.
insert into vwap_history as held (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades,
    entry, link, final_watermark, is_validated, calculated_at, final_at
)
select $1, figure.*, true, $10, $10
from unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[],
    $11::bigint[], $12::bytea[], $13::bigint[]
) as figure
on conflict (exchange, ticker, interval, ts) do update
set price = excluded.price,
    volume = excluded.volume,
    notional = excluded.notional,
    trades = excluded.trades,
    confirmed_trades = excluded.confirmed_trades,
    quarantined_trades = 0,
    entry = excluded.entry,
    link = excluded.link,
    final_watermark = excluded.final_watermark,
    is_validated = true,
    final_at = excluded.final_at,
    provisional_price = held.price,
    provisional_trades = held.trades
where not held.is_validated
