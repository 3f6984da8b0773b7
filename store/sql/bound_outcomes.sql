-- Reads the outcomes from an hour on, oldest first.
select ticker, hour, class, kept, broken, unsaid, level
from bound_outcomes
where exchange = $1 and interval = $2 and hour >= $3
order by ticker, hour, class
