-- Moves watermarks, each only from where its mover believes it to be.
-- A row that is not returned stood elsewhere: someone else moved it.
update tickers_validation_timestamp as held
set validated_until = step.to_until,
    position_tradeid = step.to_tradeid,
    market_time = step.market_time,
    checked_at = $8,
    time_to_final_p50_ms = coalesce(step.p50_ms, held.time_to_final_p50_ms),
    time_to_final_p99_ms = coalesce(step.p99_ms, held.time_to_final_p99_ms),
    time_to_final_marks = coalesce(step.marks, held.time_to_final_marks)
from unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[],
    $9::bigint[], $10::bigint[], $11::integer[])
    as step (ticker, from_until, from_tradeid, to_until, to_tradeid, market_time, p50_ms, p99_ms, marks)
where held.exchange = $1
    and held.ticker = step.ticker
    and held.validated_until = step.from_until
    and held.position_tradeid is not distinct from step.from_tradeid
returning held.ticker
