//! Percentiles of what a program counted in the buckets of a histogram.

/// The cumulated buckets of a histogram of `/metrics`: upper bound in seconds, and how many lie
/// at or below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets(Vec<(f64, u64)>);

impl Buckets {
    /// The histogram of a name, over all its labels.
    pub fn read(metrics: &str, name: &str) -> Self {
        let mut buckets: Vec<(f64, u64)> = Vec::new();
        for line in metrics.lines() {
            let Some(rest) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix("_bucket{")) else { continue };
            let (Some((_, bound)), Some((_, count))) = (rest.split_once("le=\""), rest.rsplit_once(' ')) else {
                continue;
            };
            let bound = bound.split('"').next().unwrap_or_default();
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap_or(f64::INFINITY) };
            let count = count.parse().unwrap_or(0);
            match buckets.iter_mut().find(|own| own.0 == bound) {
                Some(own) => own.1 += count,
                None => buckets.push((bound, count)),
            }
        }
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        Self(buckets)
    }

    /// The bound below which so many of a hundred lie, of what was counted since an earlier look;
    /// infinite when nothing was.
    pub fn percentile_since(&self, earlier: &Self, of_hundred: u64) -> f64 {
        let before = |bound: f64| earlier.0.iter().find(|own| own.0 == bound).map_or(0, |own| own.1);
        let counted: Vec<(f64, u64)> = self.0.iter().map(|(bound, count)| (*bound, count - before(*bound))).collect();
        let all = counted.last().map_or(0, |last| last.1);
        let wanted = (all * of_hundred).div_ceil(100).max(1);
        counted.iter().find(|(_, count)| wanted <= *count).map_or(f64::INFINITY, |(bound, _)| *bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_of_what_was_counted_since() {
        let text = |counts: [u64; 3]| {
            let line = |(bound, count)| format!("a_seconds_bucket{{exchange=\"g\",le=\"{bound}\"}} {count}\n");
            ["0.05", "0.1", "+Inf"].into_iter().zip(counts).map(line).collect::<String>()
        };
        let before = Buckets::read(&text([0, 50, 50]), "a_seconds");
        let after = Buckets::read(&text([98, 149, 150]), "a_seconds");

        assert_eq!(after.percentile_since(&before, 98), 0.05);
        assert_eq!(after.percentile_since(&before, 99), 0.1);
        assert_eq!(after.percentile_since(&before, 100), f64::INFINITY);
        assert_eq!(after.percentile_since(&after, 99), f64::INFINITY);
    }
}
