-- Reads the confirmed trades of tickers after an instant each, one by one: those
-- of a second that is not settled yet.
select held.ticker, held.tradeid, held.ts, held.price, held.quantity
from unnest($2::text[], $3::bigint[]) as asked (ticker, after)
cross join lateral (
    select trade.*
    from transactions as trade
    where trade.exchange = $1
        and trade.ticker = asked.ticker
        and trade.ts > asked.after
        and trade.is_validated
    offset 0
) as held
