//! One thread: an epoll loop over its share of the connections.

use crate::answer::{self, Answer};
use crate::options::Options;
use crate::report::Counts;
use crate::requests::Requests;
use rustix::event::epoll;
use rustix::time::Timespec;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long answers are awaited after the end.
const DRAIN: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_millis(50);
const EVENTS: usize = 256;

/// When the load begins, is measured and ends; the same for all threads.
pub struct Plan {
    start: Instant,
    measure: Instant,
    end: Instant,
    /// Between two requests of one thread in an open loop.
    interval: Option<Duration>,
    /// Between the first requests of two threads.
    offset: Duration,
    /// How many requests each thread sends at most.
    requests: u64,
}

impl Plan {
    pub fn new(options: &Options, start: Instant) -> Plan {
        let measure = start + options.warm_up;
        let offset = options.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        Plan {
            start,
            measure,
            end: match options.requests {
                Some(_) => start + Duration::from_secs(3_600),
                None => measure + options.seconds,
            },
            interval: options.rate.map(|_| offset * options.threads as u32),
            offset,
            requests: options.requests.map_or(u64::MAX, |n| n.div_ceil(options.threads as u64)),
        }
    }
}

struct Connection {
    /// `None` while it is broken.
    stream: Option<TcpStream>,
    /// What has come of an answer that is not whole.
    received: Vec<u8>,
    /// Latency counts from here: the instant of sending, or of being due. `None`: nothing is under way.
    since: Option<Instant>,
    /// Open loop: the number of this connection's next request.
    next: u64,
}

impl Connection {
    /// Whether request `number` can be sent at once.
    fn takes(&self, number: u64) -> bool {
        self.since.is_none() && self.next == number && self.stream.is_some()
    }
}

pub struct Worker {
    thread: u32,
    address: SocketAddr,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    requests: Requests,
    request: Vec<u8>,
    input: Vec<u8>,
    ready: Vec<usize>,
    sent: u64,
    under_way: usize,
    /// Broken connections and when to try them again.
    broken: Vec<(usize, Instant)>,
    counts: Counts,
}

impl Worker {
    pub fn connect(options: &Options, requests: Requests, thread: usize) -> io::Result<Worker> {
        let share = options.connections / options.threads + usize::from(thread < options.connections % options.threads);
        let mut worker = Worker {
            thread: thread as u32,
            address: options.address,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            connections: Vec::new(),
            requests,
            request: Vec::with_capacity(16_384),
            input: vec![0; 65_536],
            ready: Vec::with_capacity(EVENTS),
            sent: 0,
            under_way: 0,
            broken: Vec::new(),
            counts: Counts::default(),
        };
        for index in 0..share {
            let stream = worker.open(index)?;
            worker.connections.push(Connection { stream: Some(stream), received: Vec::new(), since: None, next: index as u64 });
        }
        Ok(worker)
    }

    fn open(&self, index: usize) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        epoll::add(&self.epoll, &stream, epoll::EventData::new_u64(index as u64), epoll::EventFlags::IN)?;
        Ok(stream)
    }

    pub fn run(mut self, plan: &Plan) -> io::Result<Counts> {
        // The kernel rounds waits up by 50 µs otherwise, which is much of the latency measured here.
        rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
        std::thread::sleep(plan.start.saturating_duration_since(Instant::now()));
        let ended = match plan.interval {
            Some(interval) => self.open_loop(plan, interval)?,
            None => self.closed_loop(plan)?,
        };
        self.counts.measured = ended.saturating_duration_since(plan.measure);
        let give_up = Instant::now() + DRAIN;
        while self.under_way > 0 && Instant::now() < give_up {
            for place in 0..self.wait(Duration::from_millis(100))? {
                if let Some((since, now)) = self.receive(self.ready[place])
                    && plan.interval.is_some()
                {
                    self.note(plan, since, now);
                }
            }
        }
        self.counts.unanswered += self.under_way as u64;
        Ok(self.counts)
    }

    /// The next request follows the answer. Returns when it ended.
    fn closed_loop(&mut self, plan: &Plan) -> io::Result<Instant> {
        for index in 0..self.connections.len() {
            self.send_within(plan, index, Instant::now());
        }
        loop {
            let mut now = Instant::now();
            for place in 0..self.wait(Duration::from_millis(10))? {
                let index = self.ready[place];
                match self.receive(index) {
                    Some((since, answered)) => {
                        now = answered;
                        if now >= plan.end {
                            break;
                        }
                        self.note(plan, since, now);
                        self.send_within(plan, index, now);
                    }
                    None => now = Instant::now(),
                }
            }
            for index in self.mended(now) {
                self.send_within(plan, index, now);
            }
            let done = self.sent >= plan.requests && self.under_way == 0;
            if done || now >= plan.end {
                return Ok(now.min(plan.end));
            }
        }
    }

    fn send_within(&mut self, plan: &Plan, index: usize, now: Instant) {
        if self.sent < plan.requests {
            self.send(index, now);
        }
    }

    /// Request `n` of this thread is due at a fixed instant on connection `n` modulo their number; if that one is not
    /// answered yet, it stands in line there. Returns when it ended.
    fn open_loop(&mut self, plan: &Plan, interval: Duration) -> io::Result<Instant> {
        let first = plan.start + plan.offset * self.thread;
        let interval_ns = (interval.as_nanos() as u64).max(1);
        let due = |number: u64| first + Duration::from_nanos(interval_ns * number);
        let lines = self.connections.len() as u64;
        let whole_ns = plan.end.saturating_duration_since(first).as_nanos() as u64;
        let last = plan.requests.min(whole_ns.div_ceil(interval_ns));
        let mut coming = 0;
        loop {
            let mut now = Instant::now();
            while coming < last && due(coming) <= now {
                let index = (coming % lines) as usize;
                if self.connections[index].takes(coming) {
                    self.send_due(index, due(coming), now);
                    now = Instant::now();
                }
                coming += 1;
            }
            if coming >= last && (self.under_way == 0 || now >= plan.end) {
                let unsent = self.connections.iter().map(|c| last.saturating_sub(c.next).div_ceil(lines)).sum::<u64>();
                self.counts.unsent += unsent;
                return Ok(due(last).min(plan.end));
            }
            let rest = if coming < last { due(coming).saturating_duration_since(now) } else { Duration::from_millis(1) };
            for place in 0..self.wait(rest)? {
                let index = self.ready[place];
                if let Some((since, now)) = self.receive(index) {
                    self.note(plan, since, now);
                    let next = self.connections[index].next;
                    if next < coming && now < plan.end {
                        self.send_due(index, due(next), now);
                    }
                }
            }
            for index in self.mended(now) {
                let next = self.connections[index].next;
                if next < coming {
                    self.send_due(index, due(next), now);
                }
            }
        }
    }

    fn send_due(&mut self, index: usize, due: Instant, now: Instant) {
        self.connections[index].next += self.connections.len() as u64;
        let _ = self.counts.delays.record(now.saturating_duration_since(due).as_nanos() as u64);
        self.send(index, due);
    }

    fn send(&mut self, index: usize, since: Instant) {
        self.requests.write(&mut self.request);
        let connection = &mut self.connections[index];
        let Some(stream) = connection.stream.as_mut() else { return };
        // An idle connection takes a request whole; one that does not is as good as broken.
        if stream.write(&self.request).is_ok_and(|written| written == self.request.len()) {
            connection.since = Some(since);
            self.sent += 1;
            self.under_way += 1;
        } else {
            self.break_off(index);
        }
    }

    /// Waits for connections with something to read; `ready` names them. Returns how many there are.
    fn wait(&mut self, timeout: Duration) -> io::Result<usize> {
        let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
        self.ready.clear();
        match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok((events, _)) => self.ready.extend(events.iter().map(|event| event.data.u64() as usize)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.ready.len())
    }

    /// Reads what came. If that ends an answer: since when it was awaited, and now.
    fn receive(&mut self, index: usize) -> Option<(Instant, Instant)> {
        let connection = &mut self.connections[index];
        let read = match connection.stream.as_mut()?.read(&mut self.input) {
            Ok(0) => {
                self.break_off(index);
                return None;
            }
            Ok(read) => read,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return None,
            Err(_) => {
                self.break_off(index);
                return None;
            }
        };
        let bytes = if connection.received.is_empty() {
            &self.input[..read]
        } else {
            connection.received.extend_from_slice(&self.input[..read]);
            &connection.received
        };
        match (answer::read(bytes), connection.since) {
            (Answer::Whole { status, length }, Some(since)) if length == bytes.len() => {
                connection.received.clear();
                connection.since = None;
                self.under_way -= 1;
                *self.counts.statuses.entry(status).or_default() += 1;
                Some((since, Instant::now()))
            }
            (Answer::Partial, Some(_)) => {
                if connection.received.is_empty() {
                    connection.received.extend_from_slice(&self.input[..read]);
                }
                None
            }
            _ => {
                self.break_off(index);
                None
            }
        }
    }

    fn note(&mut self, plan: &Plan, since: Instant, now: Instant) {
        let counted_from = if plan.interval.is_some() { since } else { now };
        if counted_from >= plan.measure {
            let _ = self.counts.latencies.record(now.saturating_duration_since(since).as_nanos() as u64);
        }
    }

    /// Closes a connection; it is opened again a little later.
    fn break_off(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.stream = None;
        connection.received.clear();
        self.counts.broken += 1;
        if connection.since.take().is_some() {
            self.under_way -= 1;
            self.counts.unanswered += 1;
        }
        self.broken.push((index, Instant::now() + RETRY_AFTER));
    }

    /// The connections that were broken and are open again.
    fn mended(&mut self, now: Instant) -> Vec<usize> {
        let mut mended = Vec::new();
        for place in (0..self.broken.len()).rev() {
            let (index, at) = self.broken[place];
            if at > now {
                continue;
            }
            match self.open(index) {
                Ok(stream) => {
                    self.connections[index].stream = Some(stream);
                    self.broken.swap_remove(place);
                    mended.push(index);
                }
                Err(_) => self.broken[place].1 = now + RETRY_AFTER,
            }
        }
        mended
    }
}
