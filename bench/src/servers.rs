//! Programs that answer while others are measured, and end with us.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::load::Load;

/// How long it may take until it answers.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server that is killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server that says its port first.
    ///
    /// # Errors
    /// When it says none.
    pub fn that_says_its_port(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("could not start it")?;
        let mut said = String::new();
        BufReader::new(child.stdout.take().context("it was piped")?).read_line(&mut said)?;
        let port: u16 = said.trim().parse().with_context(|| format!("it said {said:?} instead of a port"))?;
        Ok(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    /// Starts a server at a port, and waits until it answers a question as it should.
    ///
    /// # Errors
    /// When it does not within half a minute.
    pub fn at(command: &mut Command, port: u16, path: &str, expected: &str) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("could not start it")?;
        let server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let began = Instant::now();
        loop {
            let answer = server.get(path).unwrap_or_default();
            if answer.contains(expected) {
                return Ok(server);
            }
            ensure!(began.elapsed() < DEADLINE, "it did not answer {path} with {expected}, but {answer:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The body of an answer.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect_timeout(&self.address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    /// The memory it holds now, and the most it ever held, in MiB.
    pub fn memory_mib(&self) -> (f64, f64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = |name| status.lines().find_map(|line| line.strip_prefix(name));
        let mib = |name| line(name).and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0);
        (mib("VmRSS:") / 1024.0, mib("VmHWM:") / 1024.0)
    }

    /// Processor time it has taken so far, in seconds.
    pub fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<f64> =
            after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse().ok()).collect();
        // The kernel counts in hundredths of a second, whatever its own clock does.
        fields.iter().sum::<f64>() / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a server, and says how much of a processor each answer took it, in microseconds.
///
/// # Errors
/// As [`Load::drive`].
pub fn driven(server: &Server, load: &Load) -> anyhow::Result<Driven> {
    let before = server.cpu_s();
    let answered = Load { address: server.address, ..load.clone() }.drive()?;
    let answers = answered.per_s * (load.lasting.as_secs_f64() + 0.5);
    let cpu_us = (server.cpu_s() - before) * 1e6 / answers;
    Ok(Driven { per_s: answered.per_s, p99_ms: answered.p99_ms, cpu_us })
}

/// How a server did.
#[derive(Debug, Clone)]
pub struct Driven {
    /// Answers a second.
    pub per_s: f64,
    /// 99 of 100 answers took no longer.
    pub p99_ms: f64,
    /// Processor time of the server for each answer.
    pub cpu_us: f64,
}
