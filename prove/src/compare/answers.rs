//! What the api answered, while the storm raged and after it, against the truth.

use super::Market;
use crate::asker::{Answers, Claim, Question};

/// What the comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// Figures that said they are final, and were held against the truth.
    pub finals: usize,
    /// Figures that said they are provisional, and were held against themselves.
    pub provisional: usize,
    /// Every difference.
    pub differences: Vec<String>,
}

/// Compares every answer; and the newest figures asked for in calm, of which
/// one per ticker must be the truth though it is not final yet. Not every one:
/// a trade made within the last moments before its mark may come after it.
pub fn compare(market: &Market, answers: &Answers, newest: &Answers) -> Compared {
    let differences = [&answers.complaints[..], &newest.complaints].concat();
    let mut compared = Compared { differences, ..Compared::default() };
    for (ticker, (_, tape)) in market.tapes() {
        let mut own = newest.claims.iter().filter(|claim| claim.question.ticker() == ticker);
        let is_true = |claim: &Claim| {
            let Claim { figure, .. } = claim;
            !figure.is_final && figure.sums == tape.window(figure.ts - figure.interval_ms, figure.ts)
        };
        if !own.any(is_true) {
            compared.differences.push(format!("no newest figure of {ticker} is the truth, though nobody lies"));
        }
    }
    for claim in answers.claims.iter().chain(&newest.claims) {
        if claim.figure.is_final {
            compared.finals += 1;
        } else {
            compared.provisional += 1;
        }
        if let Err(difference) = judge(market, claim) {
            compared.differences.push(format!("{:?}: {difference}", claim.question));
        }
    }
    compared
}

fn judge(market: &Market, claim: &Claim) -> Result<(), String> {
    let Claim { question, figure } = claim;
    let (standing, tape) = market.tape(question.ticker()).ok_or("there is no such ticker")?;
    let sums = &figure.sums;
    if matches!(question, Question::Latest { .. }) && figure.ts % 1_000 != 0 {
        return Err(format!("{} is no mark", figure.ts));
    }
    if figure.price != sums.price() {
        return Err(format!("the price is not the quotient of {sums}"));
    }
    if figure.confirmed_trades > sums.trades {
        return Err(format!("{} of {} trades are confirmed", figure.confirmed_trades, sums.trades));
    }
    let opens_after = figure.ts - figure.interval_ms;
    if figure.is_complete != (standing.tape_from <= opens_after) {
        return Err(format!("it says complete: {}, with a tape from {}", figure.is_complete, standing.tape_from));
    }
    if !figure.is_final {
        return Ok(());
    }
    let truth = tape.window(opens_after, figure.ts);
    if *sums != truth || figure.confirmed_trades != truth.trades {
        return Err(format!("it is {truth} and was answered as final with {sums}"));
    }
    Ok(())
}
