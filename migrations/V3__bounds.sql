-- A provisional figure says how wrong it may be. What its bound was is kept
-- with it, and what the feed's faults did to figures before is kept by the
-- hour, so that a restart says what would have been said without it.

alter table vwap_history
    add column provisional_tail_ms bigint,
    add column provisional_class smallint,
    add column provisional_bound_bps numeric,
    add column provisional_unsaid text,
    add constraint vwap_history_tail_check check (provisional_tail_ms >= 0),
    add constraint vwap_history_bound_check check (provisional_bound_bps >= 0),
    add constraint vwap_history_bound_or_reason check (provisional_bound_bps is null or provisional_unsaid is null);

comment on column vwap_history.provisional_tail_ms is 'how much of the window was unconfirmed when its provisional figure was said, in milliseconds';
comment on column vwap_history.provisional_class is '8 × log2 of that tail, plus its share of the volume: 0 none, 1 up to 1/1024, and so on to 6 above 1/4';
comment on column vwap_history.provisional_bound_bps is 'how far the final price was said to lie from the provisional one at most, in basis points of the latter';
comment on column vwap_history.provisional_unsaid is 'why no bound was said';

alter table latest_vwap_history
    add column bound_tail_ms bigint,
    add column bound_bps numeric,
    add column bound_unsaid text,
    add column bound_marks bigint,
    add column bound_marks_needed bigint,
    add column bound_coverage numeric,
    add column bound_level bigint,
    add column bound_kept bigint,
    add column bound_broken bigint,
    add constraint latest_vwap_history_bound_or_reason check (bound_bps is null or bound_unsaid is null);

comment on column latest_vwap_history.bound_level is 'the share at which the evidence was read, in billionths: steered by what was missed, below zero the largest error is multiplied';
comment on column latest_vwap_history.bound_kept is 'bounds said over the last day that held';
comment on column latest_vwap_history.bound_broken is 'bounds said over the last day that did not hold';

-- How often provisional figures were how wrong, per hour (hours since 1970) of
-- their marks. error_bin is the error in millionths of a basis point below 16,
-- from there on 16 bins for every doubling; 752 is beyond all bounds.
create table bound_evidence (
    exchange text not null,
    ticker text not null,
    interval bigint not null,
    hour bigint not null,
    class smallint not null,
    error_bin smallint not null,
    marks bigint not null,
    primary key (exchange, ticker, interval, hour, class, error_bin),
    check (marks > 0),
    check (error_bin between 0 and 752)
) with (fillfactor = 70);

-- How often what was said held, per hour of the marks; and the level of each
-- class, in billionths, after the last of them.
create table bound_outcomes (
    exchange text not null,
    ticker text not null,
    interval bigint not null,
    hour bigint not null,
    class smallint not null,
    kept bigint not null,
    broken bigint not null,
    unsaid bigint not null,
    level bigint not null,
    primary key (exchange, ticker, interval, hour, class),
    check (kept >= 0 and broken >= 0 and unsaid >= 0)
) with (fillfactor = 50);

comment on column bound_outcomes.unsaid is 'final figures of which a price had been said, but no bound';

create index bound_evidence_by_hour on bound_evidence (exchange, hour);
create index bound_outcomes_by_hour on bound_outcomes (exchange, hour);
