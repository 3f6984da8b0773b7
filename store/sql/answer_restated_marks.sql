-- Lists the restatements of marks from $4 to $5, in the order of mark and revision, at most $6.
select
    said.ts, said.revision, said.reason, said.restated_at,
    said.entry, said.link, said.previous_link,
    said.old_trades, said.old_volume, said.old_notional, said.old_second_digest,
    said.new_trades, said.new_volume, said.new_notional, said.new_second_digest
from restatements as said
where said.exchange = $1 and said.ticker = $2 and said.interval = $3 and said.ts >= $4 and said.ts <= $5
order by said.ts, said.revision
limit $6
