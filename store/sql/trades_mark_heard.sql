-- Notes when the socket brought trades that REST had confirmed before.
-- Only that: the confirmed values stay, whatever the late copy says.
update transactions as held
set received_at = heard.received_at
from unnest($2::text[], $3::text[], $4::bigint[]) as heard (ticker, tradeid, received_at)
where held.exchange = $1
    and held.ticker = heard.ticker
    and held.tradeid = heard.tradeid
    and held.is_validated
    and held.received_at is null
