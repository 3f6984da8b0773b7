-- Lists the restatements that appended the entries after $4 up to $5, in their order, at most $6.
select
    said.ts, said.revision, said.reason, said.restated_at,
    said.entry, said.link, said.previous_link,
    said.old_trades, said.old_volume, said.old_notional, said.old_second_digest,
    said.new_trades, said.new_volume, said.new_notional, said.new_second_digest
from restatements as said
where said.exchange = $1 and said.ticker = $2 and said.interval = $3 and said.entry > $4 and said.entry <= $5
order by said.entry
limit $6
