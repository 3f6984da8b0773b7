-- Gives confirmed trades the values REST gives them now.
update transactions as held
set ts = now.ts, price = now.price, quantity = now.quantity
from unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[])
    as now (ticker, tradeid, ts, price, quantity)
where held.exchange = $1
    and held.ticker = now.ticker
    and held.tradeid = now.tradeid
    and held.is_validated
