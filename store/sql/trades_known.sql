-- Reads what is held under the names of trades.
-- A trade that has its place hides the copy that was kept aside.
select held.ticker, held.tradeid, held.ts, held.price, held.quantity, held.is_validated, held.received_at
from unnest($2::text[], $3::text[]) as asked (ticker, tradeid)
join transactions as held
    on held.exchange = $1 and held.ticker = asked.ticker and held.tradeid = asked.tradeid
union all
select aside.ticker, aside.tradeid, aside.ts, aside.price, aside.quantity, false, aside.received_at
from unnest($2::text[], $3::text[]) as asked (ticker, tradeid)
join unplaced_trades as aside
    on aside.exchange = $1 and aside.ticker = asked.ticker and aside.tradeid = asked.tradeid
where not exists (
    select from transactions as held
    where held.exchange = $1 and held.ticker = asked.ticker and held.tradeid = asked.tradeid
)
