-- Names the partitions the history has now.
select child.relname::text as name
from pg_inherits
join pg_class as child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = 'vwap_history'::regclass
