-- Reads every heard and unconfirmed trade of some tickers, up to a time each.
-- At or before the watermark all are confirmed, so the search begins there;
-- those kept aside are all told, since they claim times before it.
select held.ticker, held.tradeid, held.ts, held.price, held.quantity, false as is_validated, held.received_at
from unnest($2::text[], $3::bigint[]) as asked (ticker, until)
join tickers_validation_timestamp as settled
    on settled.exchange = $1 and settled.ticker = asked.ticker
join transactions as held
    on held.exchange = $1
    and held.ticker = asked.ticker
    and held.ts > settled.validated_until
    and held.ts <= asked.until
    and not held.is_validated
union all
select aside.ticker, aside.tradeid, aside.ts, aside.price, aside.quantity, false, aside.received_at
from unnest($2::text[], $3::bigint[]) as asked (ticker, until)
join unplaced_trades as aside
    on aside.exchange = $1 and aside.ticker = asked.ticker
