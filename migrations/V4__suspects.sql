-- Heard trades that cannot be right are kept like any other and count in no
-- provisional figure until REST has spoken.

alter table transactions
add column suspicion text
check (suspicion in ('future', 'price', 'quantity', 'contradicted'))
check (suspicion is null or not is_validated);

comment on column transactions.suspicion is 'why a heard trade is left out of provisional figures; null once it is confirmed';

alter table unplaced_trades
add column suspicion text
check (suspicion in ('future', 'price', 'quantity', 'contradicted'));

alter table vwap_history
add column quarantined_trades bigint not null default 0
check (quarantined_trades >= 0)
check (not is_validated or quarantined_trades = 0);

comment on column vwap_history.quarantined_trades is 'heard trades that claim to belong to the window, are suspected, and are not counted';

alter table latest_vwap_history
add column quarantined_trades bigint not null default 0
check (quarantined_trades >= 0)
check (not is_validated or quarantined_trades = 0);
