//! The pure core: every decision about money, credit and classification is a function of its arguments.
//!
//! Nothing here reads a clock, a file, a network or a database; time and ids come in from outside.

pub mod ad_marking;
pub mod attribution;
pub mod bank_statement;
pub mod bot;
pub mod channel;
pub mod click_marks;
pub mod cohort;
pub mod commission;
pub mod cost_file;
pub mod document;
pub mod exchange_rate;
pub mod figures;
pub mod id;
pub mod landing;
pub mod lead;
pub mod ledger;
pub mod link;
pub mod link_target;
pub mod money;
pub mod order;
pub mod partner;
pub mod payable;
pub mod payout_file;
pub mod payout_run;
pub mod person;
pub mod price_watch;
pub mod program;
pub mod promo;
pub mod redirect;
pub mod referral;
pub mod requisites;
pub mod signature;
pub mod template;
pub mod text;
pub mod time;
pub mod touch;
pub mod user_agent;
