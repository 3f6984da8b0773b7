-- Deletes some of the trades that are not kept any more.
delete from transactions
where ctid = any (array(
    select old.ctid
    from tickers_validation_timestamp as kept
    cross join lateral (
        select held.ctid
        from transactions as held
        where held.exchange = $1 and held.ticker = kept.ticker and held.ts <= kept.tape_from
        order by held.ts
        limit $2
    ) as old
    where kept.exchange = $1
    limit $2
))
