-- Lists the restated marks from $4 up to but not including $5, newest
-- restatement first, at most $6, each with how many there are in all.
select
    entry.exchange,
    entry.ticker,
    entry.ts,
    entry.revision,
    entry.reason,
    entry.old_price,
    entry.new_price,
    entry.restated_at,
    count(*) over () as total
from restatements as entry
where
    ($1::text is null or entry.exchange = $1)
    and ($2::text is null or entry.ticker = $2)
    and entry.interval = $3
    and entry.ts >= $4
    and entry.ts < $5
order by entry.restated_at desc, entry.ts desc, entry.revision desc
limit $6
