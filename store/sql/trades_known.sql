-- Reads what is held under the names of trades.
-- A trade that has its place hides the copy that was kept aside. The offsets
-- keep this a look-up per name: a plan made while the table was small and kept
-- would else read all of it.
select
    held.ticker, held.tradeid, held.ts, held.price, held.quantity, held.is_validated, held.received_at, held.suspicion
from unnest($2::text[], $3::text[]) as asked (ticker, tradeid)
cross join lateral (
    select trade.*
    from transactions as trade
    where trade.exchange = $1 and trade.ticker = asked.ticker and trade.tradeid = asked.tradeid
    offset 0
) as held
union all
select aside.ticker, aside.tradeid, aside.ts, aside.price, aside.quantity, false, aside.received_at, aside.suspicion
from unnest($2::text[], $3::text[]) as asked (ticker, tradeid)
cross join lateral (
    select trade.*
    from unplaced_trades as trade
    where trade.exchange = $1 and trade.ticker = asked.ticker and trade.tradeid = asked.tradeid
    offset 0
) as aside
where not exists (
    select from transactions as trade
    where trade.exchange = $1 and trade.ticker = aside.ticker and trade.tradeid = aside.tradeid
    offset 0
)
