-- Tells whether any trade is kept aside.
select exists (select from unplaced_trades as aside where aside.exchange = $1) as is_any
