-- Deletes some of the faults of trades that are not kept any more.
delete from feed_faults
where ctid = any (array(
    select old.ctid
    from tickers_validation_timestamp as kept
    cross join lateral (
        select fault.ctid
        from feed_faults as fault
        where fault.exchange = $1 and fault.ticker = kept.ticker and fault.ts <= kept.tape_from
        order by fault.ts
        limit $2
    ) as old
    where kept.exchange = $1
    limit $2
))
