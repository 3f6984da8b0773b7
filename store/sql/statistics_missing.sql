-- Tells whether there are trades and the planner knows nothing about them.
select pg_relation_size('transactions') > 0
    and not exists (
        select from pg_stats where schemaname = current_schema() and tablename = 'transactions'
    ) as missing
