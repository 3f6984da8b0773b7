-- Receipts: every final figure gets a place in the chain of its ticker and
-- interval, so that a range of history can be verified by its ends. What
-- became final before has none; the chain begins with the next mark.

alter table vwap_history
    add column entry bigint,
    add column link bytea,
    add column final_watermark bigint,
    add constraint vwap_history_chained check ((entry is null) = (link is null)),
    add constraint vwap_history_chained_when_final check (entry is null or is_validated and final_watermark >= ts),
    add constraint vwap_history_link_check check (entry > 0 and octet_length(link) = 32);

comment on column vwap_history.entry is 'number of the chain''s entry that was appended when the figure became final; a restatement appends another';
comment on column vwap_history.link is 'the chain''s SHA-256 after that entry';
comment on column vwap_history.final_watermark is 'where the watermark stood that made the figure final';

alter table restatements
    add column entry bigint,
    add column link bytea,
    add column previous_link bytea,
    add column old_second_digest bytea,
    add column new_second_digest bytea,
    add constraint restatements_chained check (
        num_nulls(entry, link, previous_link, old_second_digest, new_second_digest) in (0, 5)
    ),
    add constraint restatements_link_check check (entry > 0 and octet_length(link) = 32);

comment on column restatements.old_second_digest is 'SHA-256 of the trades of the mark''s second as they were';
comment on column restatements.new_second_digest is 'SHA-256 of the trades of the mark''s second as they are';

create index restatements_by_entry on restatements (exchange, ticker, interval, entry) where entry is not null;

-- Where each chain ends. It moves with the entry it names, in one transaction,
-- and only from where its mover believes it to be. Unlike the rows it stems
-- from it is never let go of: the chain goes on after any pause.
create table chain_heads (
    exchange text not null,
    ticker text not null,
    interval bigint not null,
    entry bigint not null,
    link bytea not null,
    primary key (exchange, ticker, interval),
    check (entry > 0),
    check (octet_length(link) = 32)
) with (fillfactor = 50);
