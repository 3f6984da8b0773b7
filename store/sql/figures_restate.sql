-- Changes final figures, each with an entry that says what it was and why.
-- One that has these values already is left alone and gets no entry, unless the
-- digest of its second changes: then the chain says so.
with stated as (
    select *
    from unnest(
        $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::text[],
        $11::bigint[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[]
    ) as stated (
        ticker, interval, ts, price, volume, notional, trades, reason,
        entry, link, previous_link, old_second_digest, new_second_digest
    )
),
wrong as (
    select
        held.ticker, held.interval, held.ts, held.revision + 1 as revision, stated.reason,
        held.price as old_price, held.volume as old_volume, held.notional as old_notional, held.trades as old_trades,
        stated.price, stated.volume, stated.notional, stated.trades,
        stated.entry, stated.link, stated.previous_link, stated.old_second_digest, stated.new_second_digest
    from stated
    join vwap_history as held
        on held.exchange = $1
        and held.ticker = stated.ticker
        and held.interval = stated.interval
        and held.ts = stated.ts
    where held.is_validated
        and (
            (held.volume, held.notional, held.trades) is distinct from (stated.volume, stated.notional, stated.trades)
            or stated.old_second_digest is distinct from stated.new_second_digest
        )
    for update of held
),
logged as (
    insert into restatements (
        exchange, ticker, interval, ts, revision, reason,
        old_price, old_volume, old_notional, old_trades,
        new_price, new_volume, new_notional, new_trades, restated_at,
        entry, link, previous_link, old_second_digest, new_second_digest
    )
    select
        $1, ticker, interval, ts, revision, reason,
        old_price, old_volume, old_notional, old_trades,
        price, volume, notional, trades, $10,
        entry, link, previous_link, old_second_digest, new_second_digest
    from wrong
),
restated as (
    update vwap_history as held
    set price = wrong.price,
        volume = wrong.volume,
        notional = wrong.notional,
        trades = wrong.trades,
        confirmed_trades = wrong.trades,
        revision = wrong.revision
    from wrong
    where held.exchange = $1
        and held.ticker = wrong.ticker
        and held.interval = wrong.interval
        and held.ts = wrong.ts
),
latest as (
    update latest_vwap_history as held
    set price = wrong.price,
        volume = wrong.volume,
        notional = wrong.notional,
        trades = wrong.trades,
        confirmed_trades = wrong.trades,
        calculated_at = $10
    from wrong
    where held.exchange = $1
        and held.ticker = wrong.ticker
        and held.interval = wrong.interval
        and held.ts = wrong.ts
        and held.is_validated
)
select count(*) as changed from wrong
