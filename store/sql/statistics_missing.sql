-- Tells whether there are trades to speak of and the planner knows nothing about them.
select pg_relation_size('transactions') > 1000000
    and not exists (
        select from pg_stats where schemaname = current_schema() and tablename = 'transactions'
    ) as missing
