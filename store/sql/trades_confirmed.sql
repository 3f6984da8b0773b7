-- Reads a ticker's confirmed trades in ($3, $4], one by one.
select held.ticker, held.tradeid, held.ts, held.price, held.quantity
from transactions as held
where held.exchange = $1 and held.ticker = $2 and held.ts > $3 and held.ts <= $4 and held.is_validated
