-- Prices the faults from $4 up to but not including $5, by kind: how far each
-- would have moved the first final figure it touches, in basis points.
-- A fault whose figure is not final yet, or stays without volume, has no price.
with fault as (
    select ledger.id, ledger.exchange, ledger.ticker, ledger.kind, ledger.ts
    from feed_faults as ledger
    where
        ($1::text is null or ledger.exchange = $1)
        and ($2::text is null or ledger.ticker = $2)
        and ledger.ts >= $4
        and ledger.ts < $5
)

select
    fault.kind,
    count(*) as faults,
    count(damage.damage_bps) as priced,
    round(avg(damage.damage_bps), 6)::text as mean_bps,
    round(avg(abs(damage.damage_bps)), 6)::text as mean_absolute_bps,
    round(max(abs(damage.damage_bps)), 6)::text as max_absolute_bps
from fault
left join feed_fault_damage as damage
    on damage.id = fault.id
    and damage.exchange = fault.exchange
    and damage.ticker = fault.ticker
    and damage.ts = fault.ts
    and damage.interval = $3
group by fault.kind
order by fault.kind
