-- Lists the intervals that figures are calculated for, shortest first.
select distinct figure.interval
from latest_vwap_history as figure
order by figure.interval
limit 20
