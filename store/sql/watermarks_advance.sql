-- Moves watermarks, each only from where its mover believes it to be.
-- A row that is not returned stood elsewhere: someone else moved it.
update tickers_validation_timestamp as held
set validated_until = step.to_until,
    position_tradeid = step.to_tradeid,
    market_time = step.market_time,
    checked_at = $8
from unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])
    as step (ticker, from_until, from_tradeid, to_until, to_tradeid, market_time)
where held.exchange = $1
    and held.ticker = step.ticker
    and held.validated_until = step.from_until
    and held.position_tradeid is not distinct from step.from_tradeid
returning held.ticker
