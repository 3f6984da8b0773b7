//! Runs contestants in turn, so that what the machine does besides falls on
//! all of them alike.

use anyhow::Context as _;

/// Somebody who does the work when it is his turn, and says what it took.
pub struct Contestant<'a, S> {
    /// Who, for the progress and for errors.
    pub name: String,
    /// Does the work once.
    pub run: Box<dyn FnMut() -> anyhow::Result<S> + 'a>,
}

impl<'a, S> Contestant<'a, S> {
    /// A contestant of some name.
    pub fn new(name: impl Into<String>, run: impl FnMut() -> anyhow::Result<S> + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// Lets everyone run once in each round, and returns each one's samples.
///
/// # Errors
/// The first failure, naming who failed.
pub fn alternate<S>(rounds: u32, contestants: &mut [Contestant<'_, S>]) -> anyhow::Result<Vec<Vec<S>>> {
    let mut samples: Vec<Vec<S>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
            eprintln!("  round {round} of {rounds}: {}", contestant.name);
            samples.push((contestant.run)().with_context(|| format!("{} failed", contestant.name))?);
        }
    }
    Ok(samples)
}

/// The median of a measure over samples; the mean of the two in the middle
/// when their number is even. There must be at least one.
pub fn median<S>(samples: &[S], measure: impl Fn(&S) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(measure).collect();
    values.sort_by(f64::total_cmp);
    let (below, above) = ((values.len() - 1) / 2, values.len() / 2);
    f64::midpoint(values[below], values[above])
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn everyone_runs_once_a_round_in_turn() {
        let order = RefCell::new(String::new());
        let contestant = |name: &'static str| {
            Contestant::new(name, || {
                order.borrow_mut().push_str(name);
                Ok(order.borrow().len())
            })
        };

        let samples = alternate(2, &mut [contestant("a"), contestant("b")]).expect("nobody fails");

        assert_eq!(samples, [[1, 3], [2, 4]]);
        assert_eq!(*order.borrow(), "abab");
    }

    #[test]
    fn who_fails_is_named() {
        let failing = Contestant::<()>::new("slowpoke", || anyhow::bail!("no"));

        let error = alternate(1, &mut [failing]).expect_err("it fails");

        assert_eq!(format!("{error:#}"), "slowpoke failed: no");
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0], |value| *value), 5.0);
        assert_eq!(median(&[9.0, 1.0, 5.0, 7.0], |value| *value), 6.0);
    }
}
