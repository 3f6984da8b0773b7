-- Counts final figures that have other values than the given ones.
select count(*) as differing
from unnest($2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::bigint[])
    as said (ticker, interval, ts, volume, notional, trades)
join vwap_history as held
    on held.exchange = $1
    and held.ticker = said.ticker
    and held.interval = said.interval
    and held.ts = said.ts
where held.is_validated
    and (held.volume, held.notional, held.trades) is distinct from (said.volume, said.notional, said.trades)
