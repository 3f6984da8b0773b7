-- Moves the ends of chains, each only from the entry it is believed to end with.
update chain_heads as held
set entry = step.entry, link = step.link
from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[])
    as step (ticker, interval, entry, link, from_entry, from_link)
where held.exchange = $1
    and held.ticker = step.ticker
    and held.interval = step.interval
    and held.entry = step.from_entry
    and held.link = step.from_link
