-- Reads every heard and unconfirmed trade of some tickers, up to a time each.
-- At or before the watermark all are confirmed, so the search begins there;
-- those kept aside are all told, since they claim times before it.
-- The offset keeps the planner from turning both ends of the span into a join
-- condition: the index would then be read from the tape's first trade on.
select
    held.ticker, held.tradeid, held.ts, held.price, held.quantity, false as is_validated, held.received_at,
    held.suspicion
from unnest($2::text[], $3::bigint[]) as asked (ticker, until)
join tickers_validation_timestamp as settled
    on settled.exchange = $1 and settled.ticker = asked.ticker
cross join lateral (
    select
        trade.ticker, trade.tradeid, trade.ts, trade.price, trade.quantity, trade.received_at, trade.is_validated,
        trade.suspicion
    from transactions as trade
    where trade.exchange = $1
        and trade.ticker = asked.ticker
        and trade.ts > settled.validated_until
        and trade.ts <= asked.until
    order by trade.ts
    offset 0
) as held
where not held.is_validated
union all
select aside.ticker, aside.tradeid, aside.ts, aside.price, aside.quantity, false, aside.received_at, aside.suspicion
from unnest($2::text[], $3::bigint[]) as asked (ticker, until)
join unplaced_trades as aside
    on aside.exchange = $1 and aside.ticker = asked.ticker
