-- Adds to the counts per minute, none of which falls below zero.
insert into feed_counts as held (exchange, ticker, minute, kind, trades)
select $1, ticker, minute, kind, delta
from unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[]) as more (ticker, minute, kind, delta)
on conflict (exchange, ticker, minute, kind) do update
set trades = greatest(0, held.trades + excluded.trades)
