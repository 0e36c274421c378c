//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
Sends HTTP/1.1 requests over kept-alive connections and prints how fast they were answered.

usage: load HOST:PORT [OPTIONS]

  --connections N     128
  --threads N         2
  --seconds S         10; measured, after the warm-up
  --warm-up S         0; load that is not measured
  --requests N        stop after N instead of --seconds
  --rate N            open loop: N requests a second, due at fixed instants, latency counted from the due instant;
                      without it a closed loop: the next request follows the answer
  --path PATH         /
  --method METHOD     GET, or POST with a body
  --header 'A: b'     again for more
  --body TEXT
  --vary CLICKS.csv   user agents, referrers and landing queries of the file's rows, with fresh ad click ids
  --as KIND           how --vary sends a row: click (its query), pixel (percent-encoded) or event (a JSON body)
  --returning SHARE   0.3; share of varied requests with the cookie trb_vid of a visitor seen before
  --visitors N        100000; how many such visitors there are
  --json              one line of JSON instead of text
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Click,
    Pixel,
    Event,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub address: SocketAddr,
    pub host: String,
    pub connections: usize,
    pub threads: usize,
    pub seconds: Duration,
    pub warm_up: Duration,
    pub requests: Option<u64>,
    pub rate: Option<f64>,
    pub path: String,
    pub method: Option<String>,
    pub headers: Vec<String>,
    pub body: Option<String>,
    pub vary: Option<PathBuf>,
    pub shape: Shape,
    pub returning: f64,
    pub visitors: u64,
    pub json: bool,
}

fn parsed<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: {text} cannot be read"))
}

fn seconds(name: &str, text: &str) -> Result<Duration, String> {
    Duration::try_from_secs_f64(parsed(name, text)?).map_err(|e| format!("{name}: {e}"))
}

fn positive(name: &str, value: f64) -> Result<f64, String> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(format!("{name} must be above 0")) }
}

impl Options {
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut host = None;
        let mut options = Options {
            address: SocketAddr::from(([127, 0, 0, 1], 80)),
            host: String::new(),
            connections: 128,
            threads: 2,
            seconds: Duration::from_secs(10),
            warm_up: Duration::ZERO,
            requests: None,
            rate: None,
            path: "/".to_owned(),
            method: None,
            headers: Vec::new(),
            body: None,
            vary: None,
            shape: Shape::Click,
            returning: 0.3,
            visitors: 100_000,
            json: false,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            if name == "--json" {
                options.json = true;
                continue;
            }
            if !name.starts_with("--") {
                host = Some(name);
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value, or is unknown"))?;
            match name.as_str() {
                "--connections" => options.connections = parsed(&name, &value)?,
                "--threads" => options.threads = parsed(&name, &value)?,
                "--seconds" => options.seconds = seconds(&name, &value)?,
                "--warm-up" => options.warm_up = seconds(&name, &value)?,
                "--requests" => options.requests = Some(parsed(&name, &value)?),
                "--rate" => options.rate = Some(positive(&name, parsed(&name, &value)?)?),
                "--path" => options.path = value,
                "--method" => options.method = Some(value),
                "--header" => options.headers.push(value),
                "--body" => options.body = Some(value),
                "--vary" => options.vary = Some(value.into()),
                "--as" => {
                    options.shape = match value.as_str() {
                        "click" => Shape::Click,
                        "pixel" => Shape::Pixel,
                        "event" => Shape::Event,
                        _ => return Err("--as must be click, pixel or event".to_owned()),
                    }
                }
                "--returning" => options.returning = parsed(&name, &value)?,
                "--visitors" => options.visitors = parsed(&name, &value)?,
                _ => return Err(format!("{name} is unknown")),
            }
        }
        options.host = host.ok_or("HOST:PORT is missing")?;
        options.address = options
            .host
            .to_socket_addrs()
            .map_err(|e| format!("{}: {e}", options.host))?
            .next()
            .ok_or_else(|| format!("{} has no address", options.host))?;
        if options.connections == 0 || options.threads == 0 {
            return Err("--connections and --threads must be above 0".to_owned());
        }
        options.threads = options.threads.min(options.connections);
        Ok(options)
    }
}
