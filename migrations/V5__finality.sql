-- Finality: how long figures take to become final, measured live, and the
-- ledger of settled trades that the exchange changed its mind about.

alter table tickers_validation_timestamp
    add column time_to_final_p50_ms bigint,
    add column time_to_final_p99_ms bigint,
    add column time_to_final_marks integer,
    add constraint time_to_final_whole check (
        num_nulls(time_to_final_p50_ms, time_to_final_p99_ms, time_to_final_marks) in (0, 3)
    ),
    add constraint time_to_final_in_order check (
        time_to_final_p50_ms between 0 and time_to_final_p99_ms and time_to_final_marks > 0
    );

comment on column tickers_validation_timestamp.time_to_final_p50_ms is 'half of the latest live marks were final so many milliseconds after they closed';
comment on column tickers_validation_timestamp.time_to_final_p99_ms is '99 of 100 of the latest live marks were';
comment on column tickers_validation_timestamp.time_to_final_marks is 'how many marks that rests on: said provisionally first, the latest 300 at most';

-- Settled trades that REST, asked again, tells otherwise than it did. Each
-- entry stands beside the change it speaks of, and beside the restatements
-- that follow from it. ts is the new time where there is one, else the old one.
create table trade_corrections (
    id bigint generated always as identity primary key,
    exchange text not null,
    ticker text not null,
    tradeid text not null,
    kind text not null,
    ts bigint not null,
    old_ts bigint,
    old_price numeric,
    old_quantity numeric,
    new_ts bigint,
    new_price numeric,
    new_quantity numeric,
    reason text not null,
    restated bigint not null,
    found_at bigint not null,
    check (kind in ('altered', 'added', 'withdrawn')),
    check (num_nulls(old_ts, old_price, old_quantity) = case when kind = 'added' then 3 else 0 end),
    check (num_nulls(new_ts, new_price, new_quantity) = case when kind = 'withdrawn' then 3 else 0 end),
    check (restated >= 0)
);

comment on column trade_corrections.reason is 'what the exchange did, in a sentence; the restatements say the same';
comment on column trade_corrections.restated is 'how many figures were restated in the same transaction';

create index trade_corrections_by_time on trade_corrections (exchange, ticker, ts);
create index trade_corrections_by_trade on trade_corrections (exchange, ticker, tradeid);
