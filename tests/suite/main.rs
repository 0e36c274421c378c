//! Behaviour through HTTP and the command line, every test on both databases.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod support;
mod load;
mod servers;
mod terms_pages;
mod touches;

mod ad_marking;
mod backups;
mod bad_input;
mod channel_rules;
mod classification;
mod command_line;
mod costs;
mod crash;
mod credit;
mod currencies;
mod demo;
mod documents;
mod edge;
mod faults;
mod histories;
mod ledger;
mod ledger_acts;
mod links;
mod many_orders;
mod orders_at_once;
mod pages;
mod paths;
mod payout_files;
mod payout_histories;
mod payout_lifecycle;
mod payouts;
mod persons;
mod policies;
mod readme;
mod referrals;
mod replay;
mod reports;
mod requisites;
mod resellers;
mod roles;
mod rollups;
mod rooms;
mod rules;
mod schema;
mod spool;
mod story;
mod trace;
