-- Takes the venue's leadership for this session if nobody holds it.
select pg_try_advisory_lock(hashtextextended('truetape leader of ' || $1::text, 0)) as is_leader
