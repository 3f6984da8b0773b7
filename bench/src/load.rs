//! Asks a server over HTTP as fast as it answers, through connections that are
//! kept. Ours and peers are asked by the same code, on one thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;

/// How long the server may take to get used to it before anything is measured.
const WARM_UP: Duration = Duration::from_millis(500);

/// No answer may take longer.
const DEADLINE: Duration = Duration::from_secs(20);

/// How many connections are opened at once.
const OPENED_AT_ONCE: usize = 200;

/// What is asked, and how hard.
#[derive(Debug, Clone)]
pub struct Load {
    /// Whom.
    pub address: SocketAddr,
    /// Through how many connections, each with one question at a time.
    pub connections: usize,
    /// For how long.
    pub lasting: Duration,
    /// Paths with their queries; each connection asks at random.
    pub paths: Arc<Vec<String>>,
}

/// How a server answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Answers a second.
    pub per_s: f64,
    /// 99 of 100 answers took no longer.
    pub p99_ms: f64,
}

impl Load {
    /// Asks. Every answer must be 200, whole, and no older than the one before
    /// it on the same connection of the same question.
    ///
    /// # Errors
    /// The first answer that was not.
    pub fn drive(&self) -> anyhow::Result<Answered> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.asked())
    }

    async fn asked(&self) -> anyhow::Result<Answered> {
        let requests: Vec<Vec<u8>> =
            self.paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()).collect();
        let requests: Arc<[Vec<u8>]> = requests.into();
        let opening = Arc::new(Semaphore::new(OPENED_AT_ONCE));
        let (start_to, start) = tokio::sync::watch::channel(None);
        let (open_to, mut open) = tokio::sync::mpsc::unbounded_channel();
        let mut askers = Vec::with_capacity(self.connections);
        for index in 0..self.connections {
            let (requests, opening, mut start) = (Arc::clone(&requests), Arc::clone(&opening), start.clone());
            let (address, lasting, open_to) = (self.address, self.lasting, open_to.clone());
            askers.push(tokio::spawn(async move {
                let stream = {
                    let _turn = opening.acquire().await?;
                    connected(address, index).await?
                };
                let mut asker = Asker::new(stream, requests, index);
                // Who connects and says nothing is shown out.
                asker.answer(0).await?;
                open_to.send(())?;
                let began: Instant = start.wait_for(Option::is_some).await?.context("it was waited for")?;
                asker.ask(began + WARM_UP, began + WARM_UP + lasting).await
            }));
        }
        for _ in 0..self.connections {
            tokio::time::timeout(DEADLINE, open.recv()).await.context("connecting took too long")?;
        }
        start_to.send(Some(Instant::now()))?;
        let mut took_us: Vec<u32> = Vec::new();
        for asker in askers {
            took_us.extend(asker.await??);
        }
        ensure!(!took_us.is_empty(), "not one answer in {} ms", self.lasting.as_millis());
        took_us.sort_unstable();
        let p99_us = took_us[(took_us.len() - 1) * 99 / 100];
        Ok(Answered { per_s: took_us.len() as f64 / self.lasting.as_secs_f64(), p99_ms: f64::from(p99_us) / 1_000.0 })
    }
}

/// Opens a connection. Of thousands from one address the kernel would search long for a free port.
async fn connected(address: SocketAddr, index: usize) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let ours = u8::try_from(2 + index / 250).unwrap_or(250);
    socket.bind(SocketAddr::from(([127, 0, 0, ours], 0)))?;
    let stream =
        tokio::time::timeout(DEADLINE, socket.connect(address)).await.context("connecting took too long")??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One connection.
struct Asker {
    stream: TcpStream,
    requests: Arc<[Vec<u8>]>,
    random: u64,
    buffer: Vec<u8>,
    /// The newest mark answered, where there is but one question.
    newest: u64,
}

impl Asker {
    fn new(stream: TcpStream, requests: Arc<[Vec<u8>]>, index: usize) -> Self {
        Self { stream, requests, random: index as u64 + 1, buffer: vec![0; 16_384], newest: 0 }
    }

    /// How long each answer took that began within the span, in microseconds.
    async fn ask(&mut self, from: Instant, until: Instant) -> anyhow::Result<Vec<u32>> {
        let mut took_us = Vec::new();
        loop {
            let asked_at = Instant::now();
            if asked_at >= until {
                return Ok(took_us);
            }
            let request = self.next();
            tokio::time::timeout(DEADLINE, self.answer(request)).await.context("an answer took too long")??;
            if asked_at >= from {
                took_us.push(u32::try_from(asked_at.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
        }
    }

    fn next(&mut self) -> usize {
        // Steele and Vigna's multiplier for 64 bits: good enough to pick a question.
        self.random = self.random.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        usize::try_from((self.random >> 33) % self.requests.len() as u64).unwrap_or(0)
    }

    async fn answer(&mut self, request: usize) -> anyhow::Result<()> {
        self.stream.write_all(&self.requests[request]).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the server closed a connection");
            filled += read;
            let answer = &self.buffer[..filled];
            let Some(head) = find(answer, b"\r\n\r\n") else { continue };
            let body_at = head + 4;
            if body_at + content_length(&answer[..body_at])? > filled {
                ensure!(filled < self.buffer.len(), "an answer of more than {filled} bytes");
                continue;
            }
            if !answer.starts_with(b"HTTP/1.1 200") {
                bail!("it answered {}", String::from_utf8_lossy(answer));
            }
            if self.requests.len() == 1 {
                let mark = number_after(&answer[body_at..], b"\"ts\":").context("no mark in the answer")?;
                ensure!(self.newest <= mark, "it went back from {} to {mark}", self.newest);
                self.newest = mark;
            }
            return Ok(());
        }
    }
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let length = number_after(head, b"ontent-length: ").or_else(|| number_after(head, b"ontent-Length: "));
    usize::try_from(length.context("no Content-Length")?).context("a length")
}

fn number_after(text: &[u8], name: &[u8]) -> Option<u64> {
    let at = find(text, name)? + name.len();
    let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
