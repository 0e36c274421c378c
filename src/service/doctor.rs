//! Proves the invariants of ledger and store on what is stored. What it reckons anew, it reckons from the final state
//! alone.

mod decisions;
mod orders;

use super::credit::{CreditOptions, Journeys, fits_of};
use super::ledger::chain;
use super::payout::load;
use super::payout_file;
use super::report::Question;
use super::{Result, Tributary, settle};
use crate::domain::attribution::Model;
use crate::domain::money::split_minor;
use crate::domain::payout_file::FileRequest;
use crate::domain::payout_run::{LineState, RunState};
use crate::domain::time::Period;
use crate::store::{
    commission, commission_volume, lead, ledger_chain, ledger_entry, ledger_sum, payout, program, proof, report, touch_day,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Instant;

/// One proof: what was proved, over how much, and what broke it.
#[derive(Debug, Clone)]
pub struct Finding {
    pub what: &'static str,
    pub checked: u64,
    /// What could not be proved, for it was stored before there was anything to prove it by.
    pub skipped: u64,
    pub broken: Vec<String>,
}

impl Finding {
    /// Nothing is checked yet, and nothing broken.
    pub fn of(what: &'static str) -> Finding {
        Finding { what, checked: 0, skipped: 0, broken: Vec::new() }
    }
}

/// The findings, each told as soon as it is there: a large store takes minutes.
struct Findings<'a> {
    tell: &'a mut (dyn FnMut(&Finding) + Send),
    all: Vec<Finding>,
    since: Instant,
}

impl Findings<'_> {
    fn add(&mut self, finding: Finding) {
        tracing::debug!(seconds = self.since.elapsed().as_secs_f64(), "{}", finding.what);
        self.since = Instant::now();
        (self.tell)(&finding);
        self.all.push(finding);
    }

    /// What the store answers to its question is what is broken.
    fn asked<T>(&mut self, what: &'static str, off: Vec<T>, say: impl Fn(T) -> String) {
        self.add(Finding { what, checked: 0, skipped: 0, broken: off.into_iter().map(say).collect() });
    }
}

/// Runs every proof.
pub async fn examine(service: &Tributary) -> Result<Vec<Finding>> {
    examine_and_tell(service, &mut |_| ()).await
}

/// As [`examine`]; `tell` hears each finding at once.
pub async fn examine_and_tell(service: &Tributary, tell: &mut (dyn FnMut(&Finding) + Send)) -> Result<Vec<Finding>> {
    let service = &service.with_room_to_read();
    let db = &service.db;
    let mut findings = Findings { tell, all: Vec::new(), since: Instant::now() };
    findings.asked("the database's own pages and references are whole", proof::broken_pages(db).await?, |line| line);
    let off = proof::unbalanced_journals(db).await?;
    findings.asked("every journal sums to zero", off, |(id, sum)| format!("{id} sums to {sum}"));
    findings.add(chain_holds(service).await?);
    let lost = ledger_chain::acts_without_journal(db).await?;
    let say = |(id, act, subject)| format!("act {id}, {act} of {subject}");
    findings.asked("every act that moved money by hand has its journal", lost, say);
    findings.add(sums_match(service).await?);
    let off = proof::commissions_off_ledger(db).await?;
    let say = |(id, amount, posted)| format!("{id} says {amount}, the ledger {posted}");
    findings.asked("every commission equals its ledger entries", off, say);
    let off = proof::states_off_ledger(db).await?;
    let say = |(id, state, amount, held)| format!("{id} of {amount} is {state}, and {held} of it is held");
    findings.asked("a commission is held while it is pending, whole, and not after", off, say);
    for finding in orders::follow_what_they_are_stored_with(service).await? {
        findings.add(finding);
    }
    findings.add(commissions_follow_leads(service).await?);
    findings.add(volumes_follow_commissions(service).await?);
    let off = proof::over_refunded(db).await?;
    let say = |(id, total, refunded)| format!("order {id}: {refunded} of {total}");
    findings.asked("no order is refunded by more than its total", off, say);
    let undecided = proof::undecided(db).await?;
    findings.asked("every approved order has its decision", undecided, |id| format!("order {id}"));
    let off = proof::runs_off_lines(db).await?;
    let say = |(id, total, lines, posted)| format!("{id}: total {total}, lines {lines}, posted {posted}");
    findings.asked("every run's total equals its lines and its postings", off, say);
    let off = proof::lines_off_ledger(db).await?;
    let say = |(run, partner, state, in_payment, paid): (_, _, LineState, _, _)| {
        format!("{run}, {partner}: {}, in payment {in_payment}, paid {paid}", state.name())
    };
    findings.asked("every line of a run stands where its postings say, and is paid at most once", off, say);
    findings.add(runs_follow_lines(service).await?);
    findings.add(exports_stay_the_same(service).await?);
    findings.add(statements_close(service).await?);
    for finding in super::documents::proofs(service).await? {
        findings.add(finding);
    }
    findings.add(credits_sum_to_orders(service).await?);
    findings.add(touch_days_match(service).await?);
    for finding in super::rollup::proofs(service).await? {
        findings.add(finding);
    }
    findings.add(super::persons_proof::persons_follow_evidence(service).await?);
    Ok(findings.all)
}

/// The first journal that does not follow the one before it was changed, or stands where one was removed or put in.
async fn chain_holds(service: &Tributary) -> Result<Finding> {
    let walk = chain::walk(&service.db).await?;
    let more = walk.broken.len().saturating_sub(1);
    let more = if more == 0 { String::new() } else { format!(", nor do {more} after it") };
    let said = walk.broken.first().map(|id| format!("{id} does not follow the journal before it{more}"));
    Ok(Finding {
        what: "no journal was changed, removed or put in between: the chain holds",
        checked: walk.journals,
        skipped: 0,
        broken: said.into_iter().collect(),
    })
}

/// The sums that balances are read from are those of the entries.
async fn sums_match(service: &Tributary) -> Result<Finding> {
    let off = ledger_sum::differences(&service.db).await?;
    let said = off.into_iter().map(|(partner, currency, account, period, kept, there)| {
        format!("{partner} in {period}, {account:?}, {currency}: summed {kept}, the entries say {there}")
    });
    Ok(Finding {
        what: "the sums of partners' entries are those of the entries",
        checked: ledger_sum::count(&service.db).await?.unsigned_abs(),
        skipped: 0,
        broken: said.collect(),
    })
}

/// What each lead owes by its present state and the rules frozen with its decision.
async fn commissions_follow_leads(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding = Finding::of("every lead is paid for as its state owes");
    let programs = program::all(db).await?;
    let mut after = 0;
    loop {
        let page = lead::list(db, after, 500).await?;
        let Some(last) = page.last() else { return Ok(finding) };
        after = last.id.0;
        for found in page {
            let Some(decided) = &found.decision else { continue };
            finding.checked += 1;
            let commissions = commission::of_lead(db, found.id).await?;
            let stored: BTreeMap<_, _> =
                commissions.iter().filter(|c| c.amount_minor != 0).map(|c| ((c.partner_id, c.rule_id), c.amount_minor)).collect();
            let mut owed = BTreeMap::new();
            if let Some((partner, id)) = decided.0.owed_to
                && let Some(program) = programs.iter().find(|program| program.id == id)
            {
                let declined = |rule| commissions.iter().any(|c| c.rule_id == rule && c.declined_because.is_some());
                let due = settle::lead_due(&found, program, partner, &decided.0.rules, declined);
                let due = due.iter().filter(|due| due.explanation.owed_minor() != 0);
                owed.extend(due.map(|due| ((due.partner, due.explanation.rule()), due.explanation.owed_minor())));
            }
            if stored != owed {
                finding.broken.push(format!("lead {}: stored {stored:?}, owed {owed:?}", found.external_id));
            }
        }
    }
}

/// What lies under rules with tiers or a cap is what the commissions say, and tiers add what the month's volume owes.
async fn volumes_follow_commissions(service: &Tributary) -> Result<Finding> {
    let mut finding = Finding::of("every month's volume is that of its orders, and is paid by its tiers");
    for (rule, partner, period, kept, there) in commission_volume::differences(&service.db).await? {
        finding.broken.push(format!("{rule}, {partner}, {period}: kept {kept}, the commissions are {there}"));
    }
    let mut tx = service.db.begin().await?;
    for commission in commission::of_volumes(&mut tx).await? {
        finding.checked += 1;
        let (rule, partner) = (commission.rule_id, commission.partner_id);
        let owed = settle::owed_for_month(&mut tx, rule, partner, &commission.period, commission.currency).await?;
        let owed = owed.filter(|_| commission.declined_because.is_none()).map_or(0, |owed| owed.owed_minor);
        if owed != commission.amount_minor {
            let (period, stored) = (&commission.period, commission.amount_minor);
            finding.broken.push(format!("{rule}, {partner}, {period}: stored {stored}, owed {owed}"));
        }
    }
    Ok(finding)
}

/// A run that was approved stands where its lines do, and only one of a month and currency is not cancelled.
async fn runs_follow_lines(service: &Tributary) -> Result<Finding> {
    let mut finding = Finding::of("every run stands where its lines do");
    for run in payout::list(&service.db, 0, i64::MAX).await? {
        finding.checked += 1;
        let states = payout::line_states(&service.db, run.id).await?;
        let expected = match run.state {
            RunState::Built if states.iter().any(|state| matches!(state, LineState::Paid | LineState::Failed)) => None,
            RunState::Built => Some(RunState::Built),
            _ => Some(RunState::of_lines(states)),
        };
        if expected != Some(run.state) {
            finding.broken.push(format!("{} is {}, its lines say {expected:?}", run.id, run.state.name()));
        }
    }
    Ok(finding)
}

async fn exports_stay_the_same(service: &Tributary) -> Result<Finding> {
    let mut finding = Finding::of("every exported file can be written again, byte for byte");
    for (run, format, sha256) in payout::exports(&service.db).await? {
        let Ok(request) = format.parse::<FileRequest>() else {
            finding.broken.push(format!("{run} was exported as {format}, which is no format"));
            continue;
        };
        finding.checked += 1;
        let file = match payout_file::export_again(&service.db, run, &request).await {
            Ok(file) => file,
            Err(error) => {
                finding.broken.push(format!("{run} as {format} cannot be written again: {error}"));
                continue;
            }
        };
        if hex::encode(Sha256::digest(&file.bytes)) != sha256 {
            finding.broken.push(format!("{run} as {format} has another hash now"));
        }
        let loaded = load(&service.db, run).await?;
        let withheld: i64 = loaded.lines.iter().filter(|l| l.disposition == "due").map(|l| l.tax_minor).sum();
        let total = loaded.run.total_minor - withheld;
        let told = file.totals.total_minor + file.totals.in_other_parts_minor + file.totals.left_out_minor();
        if told != total {
            finding.broken.push(format!("{run} as {format}: what is in the file and left out is {told}, not {total}"));
        }
    }
    Ok(finding)
}

/// What was counted by day as touches came is what the touches say.
async fn touch_days_match(service: &Tributary) -> Result<Finding> {
    let differences = touch_day::differences(&service.db).await?;
    let broken =
        differences.into_iter().map(|(day, counted, there)| format!("{day}: counted {counted}, there are {there}")).collect();
    Ok(Finding {
        what: "the touches counted by day are those that are stored",
        checked: touch_day::rows(&service.db).await?,
        skipped: 0,
        broken,
    })
}

/// Opening and movements make the closing balance, for every partner and month with entries.
async fn statements_close(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding = Finding::of("every statement closes with the sum of its balances");
    for (partner, month) in ledger_entry::months(db).await? {
        let Ok(period) = month.parse::<Period>() else {
            finding.broken.push(format!("{partner} has entries in {month}, which is no month"));
            continue;
        };
        for s in super::statement::of_month(db, partner, period).await? {
            finding.checked += 1;
            let sum = s.opening_minor + s.earned_minor - s.reversed_minor + s.adjusted_minor - s.paid_minor;
            if sum != s.closing.total_minor() {
                finding.broken.push(format!("{partner} in {period}, {}: {sum} is not {}", s.currency, s.closing.total_minor()));
            }
            let withheld: i64 = s.withheld.iter().map(|w| w.amount_minor).sum();
            if withheld != s.closing.withheld_minor {
                let said = s.closing.withheld_minor;
                finding.broken.push(format!("{partner} in {period}, {}: {withheld} is kept back, not {said}", s.currency));
            }
        }
    }
    Ok(finding)
}

/// For every model, the credits of every approved order sum to its net amount, and the report to all orders.
async fn credits_sum_to_orders(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding = Finding::of("the credits of every order sum to its net amount, in every model");
    let Some((first, last)) = report::span(db).await? else { return Ok(finding) };
    let options = CreditOptions::default();
    let fits = fits_of(service, first, last, options.window).await?;
    let mut period = Period::of(first);
    while period.first_day() <= last {
        let (from, to) = (period.first_day(), period.last_day());
        period = period.next();
        let journeys = Journeys::load(service, from, to, options).await?;
        let orders = report::orders(db, from, to).await?;
        for order in &orders {
            let journey = journeys.of(order);
            let net = order.total_minor - order.refunded_minor;
            for model in Model::ALL {
                finding.checked += 1;
                // A month of more channels than the model can do has no credit by it.
                let Ok(weights) = journey.weights(model, &fits, options) else { continue };
                let sum: i64 = split_minor(net, &weights).iter().sum();
                if !journey.steps.is_empty() && sum != net {
                    finding.broken.push(format!("{}: {} shares {sum} of {net}", order.id, model.name()));
                }
            }
        }
        let mut currencies: Vec<_> = orders.iter().map(|o| o.currency).collect();
        currencies.sort();
        currencies.dedup();
        for currency in currencies {
            let group_by = vec![super::report::Dimension::Channel];
            let question = Question {
                from,
                to,
                model: Model::Linear,
                group_by,
                credit: options,
                currency: Some(currency),
                ..Question::usual(from, to)
            };
            let report = super::report::channels(service, question).await?;
            let net: i64 = orders.iter().filter(|o| o.currency == currency).map(|o| o.total_minor - o.refunded_minor).sum();
            if report.totals.net_revenue_minor != net {
                finding.broken.push(format!(
                    "the channels of {from} to {to} sum to {}, the orders to {net}",
                    report.totals.net_revenue_minor
                ));
            }
        }
    }
    Ok(finding)
}
