-- Sums a ticker's trades after an instant, second by second, exactly, with the
-- ends of the confirmed ones. Suspects are summed apart from other heard trades.
-- A trade on the second belongs to it, one a millisecond later to the next.
select
    ceil(ts / 1000.0)::bigint * 1000 as second,
    count(*) filter (where is_validated) as confirmed_trades,
    coalesce(sum(quantity) filter (where is_validated), 0) as confirmed_volume,
    coalesce(sum(price * quantity) filter (where is_validated), 0) as confirmed_notional,
    min(price) filter (where is_validated) as lowest,
    max(price) filter (where is_validated) as highest,
    max(quantity) filter (where is_validated) as largest,
    max(ts - received_at) filter (where is_validated) as earliest_ms,
    count(*) filter (where not is_validated and suspicion is null) as heard_trades,
    coalesce(sum(quantity) filter (where not is_validated and suspicion is null), 0) as heard_volume,
    coalesce(sum(price * quantity) filter (where not is_validated and suspicion is null), 0) as heard_notional,
    count(*) filter (where suspicion is not null) as quarantined_trades,
    coalesce(sum(quantity) filter (where suspicion is not null), 0) as quarantined_volume,
    coalesce(sum(price * quantity) filter (where suspicion is not null), 0) as quarantined_notional
from transactions
where exchange = $1 and ticker = $2 and ts > $3
group by 1
order by 1
