-- Takes away counts that came to nothing.
delete from feed_counts as held
using unnest($2::text[], $3::bigint[], $4::text[]) as changed (ticker, minute, kind)
where held.exchange = $1
    and held.ticker = changed.ticker
    and held.minute = changed.minute
    and held.kind = changed.kind
    and held.trades <= 0
