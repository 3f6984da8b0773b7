-- Takes back that trades were missing, and names those that had been.
delete from feed_faults as fault
using unnest($2::text[], $3::text[]) as heard (ticker, tradeid)
where fault.exchange = $1
    and fault.ticker = heard.ticker
    and fault.tradeid = heard.tradeid
    and fault.kind = 'missing'
returning fault.ticker, fault.tradeid
