//! The load generator of `make bench`: as cheap a request as possible, because it shares the cores with what it measures.
//!
//! One epoll loop a thread, requests built beforehand, answers read only as far as needed. The open loop counts latency
//! from the instant a request was due, so waiting in line counts (no coordinated omission).

mod answer;
mod options;
mod report;
mod requests;
mod worker;

use options::Options;
use report::Counts;
use requests::Requests;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use worker::{Plan, Worker};

/// How long after its threads were made the load begins.
const LEAD: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        print!("{}", options::USAGE);
        return ExitCode::SUCCESS;
    }
    let options = match Options::read(arguments.into_iter()) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("load: {message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(counts) => {
            println!("{}", if options.json { counts.json() } else { counts.text() });
            if counts.acknowledged() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> std::io::Result<Counts> {
    let mut workers = Vec::new();
    for thread in 0..options.threads {
        workers.push(Worker::connect(options, Requests::new(options, thread)?, thread)?);
    }
    let plan = Plan::new(options, Instant::now() + LEAD);
    let mut total = Counts::default();
    let results: Vec<std::io::Result<Counts>> = std::thread::scope(|scope| {
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| worker.run(&plan))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread panicked")))).collect()
    });
    for counts in results {
        total.add(&counts?);
    }
    Ok(total)
}
