-- Reads where the chains of a venue and interval end.
select ticker, entry, link
from chain_heads
where exchange = $1 and interval = $2
order by ticker
