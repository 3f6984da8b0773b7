-- Reads the latest mark said of each ticker of the venue.
select ticker, ts
from latest_vwap_history
where exchange = $1 and interval = $2
order by ticker
