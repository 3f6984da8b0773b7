-- Reads the confirmed trades of a window ($3, $4] in canonical order, by time and
-- then by the bytes of the id: at most $7 of those after the trade ($5, $6).
select trade.ticker, trade.tradeid, trade.ts, trade.price, trade.quantity
from transactions as trade
where
    trade.exchange = $1
    and trade.ticker = $2
    and trade.ts > $3
    and trade.ts >= $5
    and trade.ts <= $4
    and (trade.ts > $5 or trade.tradeid collate "C" > $6)
    and trade.is_validated
order by trade.ts, trade.tradeid collate "C"
limit $7
