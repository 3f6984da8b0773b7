-- Takes trades away from those kept aside.
delete from unplaced_trades as aside
using unnest($2::text[], $3::text[]) as gone (ticker, tradeid)
where aside.exchange = $1
    and aside.ticker = gone.ticker
    and aside.tradeid = gone.tradeid
