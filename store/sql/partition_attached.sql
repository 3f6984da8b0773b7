-- Tells whether a table is a partition of the history now, and going to stay one.
select exists (
    select from pg_inherits
    where inhparent = 'vwap_history'::regclass
        and inhrelid = to_regclass($1)
        and not inhdetachpending
) as is_attached
