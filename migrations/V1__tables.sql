-- The tables a rolling VWAP stands on. Venue and ticker lead every key, so that
-- the schema can be distributed later without changing it; every `ts` is the
-- venue's time in epoch milliseconds.

-- Who may write for an exchange. A new leader raises the epoch; whoever still
-- writes with an older one is refused.
create table leaders (
    exchange text primary key,
    epoch bigint not null default 1,
    since bigint not null,
    check (epoch > 0)
);

-- Trades, once each. Identity is exchange, ticker and id, whatever time a
-- faulty copy claims: that is why this table is not partitioned by time.
-- At or before the watermark of its ticker it holds confirmed trades only.
-- Half-full pages let confirming be a heap-only update (no index mentions
-- is_validated).
create table transactions (
    exchange text not null,
    ticker text not null,
    tradeid text not null,
    ts bigint not null,
    price numeric not null,
    quantity numeric not null,
    is_validated boolean not null,
    received_at bigint,
    primary key (exchange, ticker, tradeid),
    check (price > 0),
    check (quantity > 0),
    check (tradeid <> '' and ticker <> '' and exchange <> ''),
    check (is_validated or received_at is not null)
) with (fillfactor = 50);

comment on column transactions.received_at is 'when the socket first brought it; null when only REST knows it';

create index transactions_window on transactions (exchange, ticker, ts) include (price, quantity);

-- Heard trades that claim a time already settled and are unknown to REST there:
-- a phantom, or a trade whose time was altered. They count in no figure.
create table unplaced_trades (
    exchange text not null,
    ticker text not null,
    tradeid text not null,
    ts bigint not null,
    price numeric not null,
    quantity numeric not null,
    received_at bigint not null,
    primary key (exchange, ticker, tradeid)
);

-- How far each ticker is confirmed. Everything at or before validated_until is;
-- position_tradeid is set when reading stopped inside the next millisecond.
create table tickers_validation_timestamp (
    exchange text not null,
    ticker text not null,
    validated_until bigint not null,
    position_tradeid text,
    tape_from bigint not null,
    market_time bigint,
    checked_at bigint,
    primary key (exchange, ticker),
    check (tape_from <= validated_until)
);

comment on column tickers_validation_timestamp.tape_from is 'trades after this moment are kept: where reconciliation began, or where retention cut';
comment on column tickers_validation_timestamp.market_time is 'the market''s own present at the last REST answer';
comment on column tickers_validation_timestamp.checked_at is 'our time of the last REST answer';

create view available_tickers as
select exchange, ticker from tickers_validation_timestamp;

-- One figure per ticker, interval (ms) and mark. No trades have no price.
create table vwap_history (
    exchange text not null,
    ticker text not null,
    interval bigint not null,
    ts bigint not null,
    price numeric,
    volume numeric not null,
    notional numeric not null,
    trades bigint not null,
    confirmed_trades bigint not null,
    is_validated boolean not null,
    revision integer not null default 0,
    provisional_price numeric,
    provisional_trades bigint,
    calculated_at bigint not null,
    final_at bigint,
    primary key (exchange, ticker, interval, ts),
    check (ts % 1000 = 0),
    check (interval > 0),
    check (volume >= 0 and notional >= 0),
    check ((price is null) = (trades = 0)),
    check (confirmed_trades between 0 and trades),
    check (is_validated = (final_at is not null)),
    check (not is_validated or confirmed_trades = trades)
) partition by range (ts);

comment on column vwap_history.provisional_price is 'what was said of this mark before it became final';

create table latest_vwap_history (
    exchange text not null,
    ticker text not null,
    interval bigint not null,
    ts bigint not null,
    price numeric,
    volume numeric not null,
    notional numeric not null,
    trades bigint not null,
    confirmed_trades bigint not null,
    is_validated boolean not null,
    calculated_at bigint not null,
    primary key (exchange, ticker, interval),
    check ((price is null) = (trades = 0))
) with (fillfactor = 50);

-- A final figure changes only with an entry here.
create table restatements (
    exchange text not null,
    ticker text not null,
    interval bigint not null,
    ts bigint not null,
    revision integer not null,
    reason text not null,
    old_price numeric,
    old_volume numeric not null,
    old_notional numeric not null,
    old_trades bigint not null,
    new_price numeric,
    new_volume numeric not null,
    new_notional numeric not null,
    new_trades bigint not null,
    restated_at bigint not null,
    primary key (exchange, ticker, interval, ts, revision),
    check (revision > 0)
);

-- Every fault of the socket, with what was heard and what is true.
-- ts is the true time where there is one, else the claimed one.
create table feed_faults (
    id bigint generated always as identity primary key,
    exchange text not null,
    ticker text not null,
    tradeid text not null,
    kind text not null,
    ts bigint not null,
    heard_ts bigint,
    heard_price numeric,
    heard_quantity numeric,
    true_ts bigint,
    true_price numeric,
    true_quantity numeric,
    received_at bigint,
    found_at bigint not null,
    check (kind in ('altered', 'missing', 'phantom', 'duplicate', 'late'))
);

create index feed_faults_by_time on feed_faults (exchange, ticker, ts);
create index feed_faults_by_trade on feed_faults (exchange, ticker, tradeid);

-- What the socket brought, counted per minute and kind: the verdicts, and the
-- rejections as rejected_<kind> (ticker '' when a frame named none).
create table feed_counts (
    exchange text not null,
    ticker text not null,
    minute bigint not null,
    kind text not null,
    trades bigint not null,
    primary key (exchange, ticker, minute, kind),
    check (minute % 60000 = 0)
);

create index feed_counts_by_minute on feed_counts (exchange, minute);

-- The latest refused frames and rows, as they came. Bounded by the worker.
create table rejections (
    id bigint generated always as identity primary key,
    exchange text not null,
    ticker text not null default '',
    channel text not null,
    kind text not null,
    reason text not null,
    frame text not null,
    received_at bigint not null,
    check (channel in ('socket', 'rest')),
    check (octet_length(frame) <= 4096)
);

create index rejections_by_time on rejections (exchange, received_at);

-- Spans of the tape that are known to be incomplete. Every figure whose window
-- touches one says so.
create table incidents (
    id bigint generated always as identity primary key,
    exchange text not null,
    ticker text not null,
    kind text not null,
    from_ts bigint not null,
    to_ts bigint not null,
    detail text not null,
    found_at bigint not null,
    unique (exchange, ticker, kind, from_ts),
    check (from_ts <= to_ts)
);

create index incidents_by_time on incidents (exchange, ticker, to_ts);

-- What each fault would have done to the first final figure it touches, in
-- basis points of that figure: positive when the fault would have raised it.
create view feed_fault_damage as
select
    effect.id, effect.exchange, effect.ticker, effect.interval, effect.kind, effect.ts, effect.mark,
    case
        when effect.false_volume > 0 and effect.notional > 0
        then round((effect.false_notional * effect.volume / (effect.false_volume * effect.notional) - 1) * 10000, 6)
    end as damage_bps
from (
    select
        fault.id, fault.exchange, fault.ticker, fault.kind, fault.ts,
        figure.interval, figure.ts as mark, figure.volume, figure.notional,
        figure.volume
            - case when fault.kind in ('missing', 'late', 'altered') then fault.true_quantity else 0 end
            + case when is_in_window.heard then fault.heard_quantity else 0 end as false_volume,
        figure.notional
            - case when fault.kind in ('missing', 'late', 'altered') then fault.true_price * fault.true_quantity else 0 end
            + case when is_in_window.heard then fault.heard_price * fault.heard_quantity else 0 end as false_notional
    from feed_faults as fault
    join vwap_history as figure
        on figure.exchange = fault.exchange
        and figure.ticker = fault.ticker
        and figure.ts = ((fault.ts + 999) / 1000) * 1000
        and figure.is_validated
    cross join lateral (
        select fault.kind in ('altered', 'phantom')
            and fault.heard_ts > figure.ts - figure.interval
            and fault.heard_ts <= figure.ts as heard
    ) as is_in_window
    where fault.kind <> 'duplicate'
) as effect;
