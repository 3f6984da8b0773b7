-- Tells whether there are trades, and whether the planner knows anything about them.
select pg_relation_size('transactions') > 0 as has_trades,
    exists (
        select from pg_stats where schemaname = current_schema() and tablename = 'transactions'
    ) as has_statistics
