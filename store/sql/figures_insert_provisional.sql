-- Writes provisional figures, replacing provisional ones, each with the bound
-- that is said with it. A figure that is final is never touched.
insert into vwap_history as held (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, quarantined_trades,
    provisional_tail_ms, provisional_class, provisional_bound_bps, provisional_unsaid,
    is_validated, calculated_at
)
select $1, figure.*, false, $10
from unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[],
    $11::bigint[], $12::bigint[], $13::smallint[], $14::numeric[], $15::text[]
) as figure
on conflict (exchange, ticker, interval, ts) do update
set price = excluded.price,
    volume = excluded.volume,
    notional = excluded.notional,
    trades = excluded.trades,
    confirmed_trades = excluded.confirmed_trades,
    quarantined_trades = excluded.quarantined_trades,
    provisional_tail_ms = excluded.provisional_tail_ms,
    provisional_class = excluded.provisional_class,
    provisional_bound_bps = excluded.provisional_bound_bps,
    provisional_unsaid = excluded.provisional_unsaid,
    calculated_at = excluded.calculated_at
where not held.is_validated
    and (held.volume, held.notional, held.trades, held.confirmed_trades, held.quarantined_trades)
        is distinct from (
            excluded.volume, excluded.notional, excluded.trades, excluded.confirmed_trades, excluded.quarantined_trades
        )
