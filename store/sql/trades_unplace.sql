-- Moves heard trades aside, as they were heard.
with moved as (
    delete from transactions as held
    using unnest($2::text[], $3::text[]) as named (ticker, tradeid)
    where held.exchange = $1
        and held.ticker = named.ticker
        and held.tradeid = named.tradeid
        and not held.is_validated
    returning held.*
)
insert into unplaced_trades (exchange, ticker, tradeid, ts, price, quantity, received_at, suspicion)
select exchange, ticker, tradeid, ts, price, quantity, received_at, suspicion
from moved
order by ticker, tradeid
on conflict (exchange, ticker, tradeid) do nothing
