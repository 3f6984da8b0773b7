-- Lists the incidents that touch the span ($3, $4], oldest first, at most $5.
-- Without an exchange or a ticker, those of all.
select incident.exchange, incident.ticker, incident.kind, incident.from_ts, incident.to_ts, incident.detail
from incidents as incident
where
    ($1::text is null or incident.exchange = $1)
    and ($2::text is null or incident.ticker in ($2, ''))
    and incident.to_ts > $3
    and incident.from_ts <= $4
order by incident.from_ts, incident.id
limit $5
