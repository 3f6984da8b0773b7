-- The last confirmed trade of a ticker up to an instant.
select tradeid, ts
from transactions
where exchange = $1 and ticker = $2 and ts <= $3 and is_validated
order by ts desc
limit 1
