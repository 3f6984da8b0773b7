-- Reads the final figures of a ticker at the marks from $4 to $5.
select ts, volume, notional, trades, revision, entry is not null as is_chained
from vwap_history
where exchange = $1 and ticker = $2 and interval = $3 and ts >= $4 and ts <= $5 and is_validated
order by ts
