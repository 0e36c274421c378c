//! Behaviour through HTTP and the command line, every test on both databases.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod support;
mod load;
mod servers;
mod touches;

mod ad_marking;
mod backups;
mod bad_input;
mod channel_rules;
mod classification;
mod command_line;
mod crash;
mod credit;
mod demo;
mod documents;
mod edge;
mod faults;
mod histories;
mod links;
mod pages;
mod paths;
mod payout_files;
mod payouts;
mod persons;
mod policies;
mod readme;
mod referrals;
mod replay;
mod reports;
mod requisites;
mod resellers;
mod rooms;
mod rules;
mod schema;
mod spool;
mod story;
mod trace;
