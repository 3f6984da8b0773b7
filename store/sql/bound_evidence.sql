-- Reads the evidence from an hour on, one row per ticker, hour and class.
select
    evidence.ticker,
    evidence.hour,
    evidence.class,
    array_agg(evidence.error_bin order by evidence.error_bin) as error_bins,
    array_agg(evidence.marks order by evidence.error_bin) as marks
from bound_evidence as evidence
where evidence.exchange = $1 and evidence.interval = $2 and evidence.hour >= $3
group by evidence.ticker, evidence.hour, evidence.class
order by evidence.ticker, evidence.hour, evidence.class
