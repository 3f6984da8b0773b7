-- Records spans of the tape that are incomplete, each once.
insert into incidents (exchange, ticker, kind, from_ts, to_ts, detail, found_at)
select $1, incident.*, $7
from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[]) as incident
on conflict (exchange, ticker, kind, from_ts) do nothing
