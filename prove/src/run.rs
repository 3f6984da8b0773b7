//! One run, from an empty folder to a verdict.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_postgres::NoTls;

use crate::asker::{Answers, Asker, Question};
use crate::clock::now_ms;
use crate::compare::{self, Market};
use crate::house::{House, INTERVAL_MS, log_of};
use crate::http::Http;
use crate::schedule::{self, Actor};
use crate::sessions::{Evidence, Listening, Span};
use crate::storm::{self, Wake};
use crate::tables::Tables;
use crate::truth::{self, Truth};
use crate::verdict::Verdict;
use crate::witness::{self, Seen};

/// How long it may take after the storm until everything has converged.
const CONVERGES_WITHIN: Duration = Duration::from_secs(120);

/// What is said late, and what is only then known to be a phantom, comes so
/// much after what is compared, in milliseconds.
const AFTERMATH_MS: i64 = 9_000;

/// A machine that stalls may cost a leader its database connection; workers that
/// depose each other lose the leadership over and over.
const UNEXPLAINED_AT_MOST: usize = 2;

/// How long it may take to stop whoever is at work.
const LEAVES_WITHIN: Duration = Duration::from_secs(10);

/// Questions asked when everything has converged.
const QUESTIONS: usize = 300;

/// How many of each ticker's newest figures are asked for then.
const NEWEST: usize = 8;

/// What is run.
#[derive(Debug)]
pub struct Run {
    /// What everything follows from.
    pub seed: u64,
    /// How long the storm lasts.
    pub length: Duration,
    /// Where the programs are.
    pub programs: PathBuf,
    /// The command that repeats it.
    pub command: String,
}

/// What was seen and heard while the storm raged.
#[derive(Debug, Default)]
struct Observed {
    seen: Arc<Mutex<Seen>>,
    answers: Arc<Mutex<Answers>>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a clean verdict.
    Clean,
    /// With a verdict that is not.
    NotClean,
    /// Before its time, as it was told to.
    Stopped,
}

impl Run {
    /// Runs it and prints the verdict, unless it is stopped.
    pub async fn to_the_end(&self, stopped: watch::Receiver<bool>) -> anyhow::Result<Ended> {
        let programs = self.programs.canonicalize();
        let programs = programs.with_context(|| format!("there is no folder {}", self.programs.display()))?;
        for program in ["worker", "api", "venue"] {
            if !programs.join(program).exists() {
                bail!("there is no program {program} in {}", programs.display());
            }
        }
        let folder = tempfile::Builder::new().prefix("prove-").tempdir()?;
        // The database may belong to another user, who must get there.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let ended = self.in_folder(folder.path(), &programs, stopped).await;
        if !matches!(ended, Ok(Ended::Clean | Ended::Stopped)) {
            keep(folder, &self.command);
        }
        ended
    }

    async fn in_folder(
        &self,
        folder: &Path,
        programs: &Path,
        mut stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Ended> {
        let began_at = Instant::now();
        let house = House::build(folder, programs, self.seed, self.length).await;
        let house = Arc::new(house.context("the storm could not begin")?);
        let verdict = tokio::select! {
            verdict = self.in_house(&house, folder, began_at) => Some(verdict),
            _ = stopped.wait_for(|is_stopped| *is_stopped) => None,
        };
        let is_clean = verdict.as_ref().is_none_or(|it| it.as_ref().is_ok_and(Verdict::is_clean));
        let data = folder.join("postgres");
        alone(house).await?.close((!is_clean).then_some(data.as_path())).await?;
        let Some(verdict) = verdict else { return Ok(Ended::Stopped) };
        println!("{}", verdict?);
        Ok(if is_clean { Ended::Clean } else { Ended::NotClean })
    }

    async fn in_house(&self, house: &Arc<House>, folder: &Path, began_at: Instant) -> anyhow::Result<Verdict> {
        let http = Http::new(Duration::from_secs(3))?;
        let addresses = &house.addresses;
        let tickers = truth::tickers(&http, &addresses.venue).await?;
        eprintln!("prove: everything works together; the storm begins");
        let storm_began_ms = now_ms();
        let observed = Observed::default();
        let mut observers = JoinSet::new();
        observers.spawn(witness::watch_tables(addresses.database.clone(), Arc::clone(&observed.seen)));
        let (addressed, seen) = (addresses.clone(), Arc::clone(&observed.seen));
        observers.spawn(async move {
            // It ends only when it cannot begin.
            let _ = witness::watch_programs(addressed, seen).await;
        });
        let asker = Asker::new(&addresses.api, self.seed)?;
        observers.spawn(asker.ask_on(tickers.clone(), storm_began_ms - 15_000, Arc::clone(&observed.answers)));

        let mut wake = storm::rage(house, schedule::plan(self.seed, self.length), self.length).await?;
        let storm_ended_ms = now_ms();
        eprintln!("prove: the storm is over; everything is let alone until it has converged");
        let calmed_at = Instant::now();
        http.post(&format!("{}/control/rest", addresses.venue), &json!({"mode": "ok"})).await?;
        http.post(&format!("{}/control/faults", addresses.venue), &json!({"all": 0})).await?;
        if let Err(error) = converged(house, &tickers, storm_ended_ms).await {
            wake.complaints.push(format!("{error:#}"));
        }
        let converged_after = calmed_at.elapsed();
        observers.shutdown().await;
        wake.complaints.extend(house.fallen().await);

        let Observed { seen, answers } = observed;
        let (seen, mut answers) = (unwrap(seen)?, unwrap(answers)?);
        self.ask_about_the_past(house, &tickers, storm_ended_ms, &mut answers).await?;
        let newest = self.ask_for_the_newest(house, &tickers).await?;
        let tables = Tables::read(&addresses.database).await.context("could not read the tables")?;
        let first_ms = tables.standings.values().map(|standing| standing.tape_from).min().unwrap_or(storm_began_ms);
        let truth = Truth::read(&http, &addresses.venue, first_ms - 60_000, now_ms()).await;
        let truth = truth.context("could not read the market's truth")?;
        wake.complaints.extend(grumbles(folder)?);

        let told = told(&truth);
        let listening = Listening::of(&Evidence {
            epochs: &seen.epochs,
            leading: &seen.leading,
            deeds: &wake.deeds,
            told: &told,
            ended_ms: now_ms(),
        });
        let market = Market::new(&truth, &tables.standings);
        let Wake { deeds, troubles, mut complaints } = wake;
        complaints.extend(seen.complaints.iter().cloned());
        complaints.extend(self.oddities(&tables, &tickers));
        if listening.unexplained > UNEXPLAINED_AT_MOST {
            complaints.push(format!("{} leaders lost it without a blow", listening.unexplained));
        }
        let storm = Span { from_ms: storm_began_ms, to_ms: storm_ended_ms };
        let sure_ms = listening.sure_ms(storm);
        Ok(Verdict {
            seed: self.seed,
            command: self.command.clone(),
            storm: self.length,
            converged_after,
            tickers: tables.standings.len(),
            deeds,
            troubles,
            rest: seen.rest,
            sessions: (listening.sessions, listening.unexplained),
            sure: Duration::from_millis(sure_ms.unsigned_abs()),
            trades: compare::trades::compare(&truth, &tables, storm_ended_ms),
            figures: compare::figures::compare(&market, &tables, &seen, storm_began_ms, storm_ended_ms),
            answers: compare::answers::compare(&market, &answers, &newest),
            statuses: answers.statuses,
            faults: compare::faults::compare(&truth, &tables, &listening, storm),
            complaints,
            all: began_at.elapsed(),
        })
    }

    /// Asks about everything the storm was about: each answer must come and be final.
    async fn ask_about_the_past(
        &self,
        house: &House,
        tickers: &[String],
        until_ms: i64,
        answers: &mut Answers,
    ) -> anyhow::Result<()> {
        let mut asker = Asker::new(&house.addresses.api, self.seed.wrapping_add(1))?;
        let first_ms = until_ms - i64::try_from(self.length.as_millis())?;
        for at in 0..QUESTIONS {
            let question = asker.past(tickers[at % tickers.len()].clone(), first_ms, until_ms);
            let answer = asker.ask(&question).await.with_context(|| format!("{question:?}"))?;
            let is_final = answer.status == 200 && answer.body.contains("\"is_validated\":true");
            if !is_final {
                answers.complaints.push(format!("{question:?} in calm: {} {}", answer.status, answer.body));
            }
            answers.take(question, Ok(answer));
        }
        Ok(())
    }

    /// Asks for the newest figures of every ticker, mark by mark.
    async fn ask_for_the_newest(&self, house: &House, tickers: &[String]) -> anyhow::Result<Answers> {
        let asker = Asker::new(&house.addresses.api, self.seed)?;
        let mut answers = Answers::default();
        for _ in 0..NEWEST {
            for ticker in tickers {
                let question = Question::Latest { ticker: ticker.clone() };
                let answer = asker.ask(&question).await;
                answers.take(question, answer);
            }
            sleep(Duration::from_secs(1)).await;
        }
        Ok(answers)
    }

    /// What the tables must not hold, the market having been true on REST.
    fn oddities(&self, tables: &Tables, tickers: &[String]) -> Vec<String> {
        let mut oddities = Vec::new();
        if tables.incidents > 0 {
            oddities.push(format!("{} incidents, though every page could be read", tables.incidents));
        }
        if tables.restatements > 0 {
            oddities.push(format!("{} restatements, though REST never changed its mind", tables.restatements));
        }
        for ticker in tickers.iter().filter(|ticker| !tables.standings.contains_key(*ticker)) {
            oddities.push(format!("{ticker} is not followed"));
        }
        oddities
    }
}

/// Until every ticker is settled so far that nothing of the storm can follow,
/// and new figures come.
async fn converged(house: &House, tickers: &[String], storm_ended_ms: i64) -> anyhow::Result<()> {
    let began_at = Instant::now();
    let wanted = i64::try_from(tickers.len())?;
    let mut state = "nothing is known of the tables".to_owned();
    while began_at.elapsed() < CONVERGES_WITHIN {
        match standing(&house.addresses.database, storm_ended_ms + AFTERMATH_MS).await {
            Ok((settled, fresh)) if settled >= wanted && fresh >= wanted => return Ok(()),
            Ok((settled, fresh)) => {
                state = format!("of {wanted} tickers {settled} are settled and {fresh} have a fresh figure");
            }
            Err(error) => state = format!("{error:#}"),
        }
        sleep(Duration::from_millis(200)).await;
    }
    bail!("not converged {} s after the storm: {state}", CONVERGES_WITHIN.as_secs())
}

/// How many tickers are settled up to a moment, and of how many the newest figure is new.
async fn standing(database: &str, until_ms: i64) -> anyhow::Result<(i64, i64)> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    let connection = tokio::spawn(connection);
    let sql = "select count(*) filter (where validated_until >= $1), count(*) filter (where ts >= $2)
        from crypto_market.tickers_validation_timestamp
        left join crypto_market.latest_vwap_history using (exchange, ticker) where interval = $3";
    let row = client.query_one(sql, &[&until_ms, &(now_ms() - 3_000), &INTERVAL_MS]).await?;
    connection.abort();
    Ok((row.get(0), row.get(1)))
}

/// When the trades were made of which the market told somebody, in order.
fn told(truth: &Truth) -> Vec<i64> {
    let is_told = |how: &str| matches!(how, "heard" | "altered" | "rejected");
    let trades = truth.trades.iter();
    let told = trades.filter(|(name, _)| truth.deliveries.get(*name).is_some_and(|it| is_told(&it.how)));
    let mut told: Vec<i64> = told.map(|(_, trade)| trade.ts).collect();
    told.sort_unstable();
    told
}

/// What the programs themselves call an error, or die of.
fn grumbles(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut grumbles = Vec::new();
    for actor in Actor::ALL {
        let Ok(text) = std::fs::read(log_of(folder, actor)) else { continue };
        let text = String::from_utf8_lossy(&text);
        let bad = text.lines().filter(|line| line.contains(" ERROR ") || line.contains("panicked at"));
        grumbles.extend(bad.map(|line| format!("{} says: {line}", actor.name())));
    }
    Ok(grumbles)
}

fn unwrap<T>(shared: Arc<Mutex<T>>) -> anyhow::Result<T> {
    let shared = Arc::into_inner(shared).context("an observer is still there")?;
    shared.into_inner().ok().context("an observer panicked")
}

/// The house, once those who were sent away have left it.
async fn alone(mut house: Arc<House>) -> anyhow::Result<House> {
    let began_at = Instant::now();
    loop {
        house = match Arc::try_unwrap(house) {
            Ok(house) => return Ok(house),
            Err(house) if began_at.elapsed() < LEAVES_WITHIN => house,
            Err(_) => bail!("somebody still holds the house after {} s", LEAVES_WITHIN.as_secs()),
        };
        sleep(Duration::from_millis(10)).await;
    }
}

/// Leaves the folder for whoever wants to know why.
fn keep(folder: TempDir, command: &str) {
    let folder = folder.keep();
    eprintln!("prove: logs, the market's ledger and the data of the database are kept in {}", folder.display());
    eprintln!("prove: repeat with: {command}");
}
