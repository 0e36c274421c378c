//! Proves the invariants of ledger and store on what is stored. What it reckons anew, it reckons from the final state
//! alone.

mod decisions;

use super::credit::{CreditOptions, Journeys, fits_of};
use super::payout::load;
use super::payout_file;
use super::report::Question;
use super::{Result, Tributary, settle};
use crate::domain::attribution::Model;
use crate::domain::money::split_minor;
use crate::domain::payout_file::FileRequest;
use crate::domain::time::{FAR_DAY, Period};
use crate::store::{
    commission, commission_volume, decision, lead, ledger, order, payout, program, proof, refund, report, touch_day,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One proof: what was proved, over how much, and what broke it.
#[derive(Debug, Clone)]
pub struct Finding {
    pub what: &'static str,
    pub checked: u64,
    /// What could not be proved, for it was stored before there was anything to prove it by.
    pub skipped: u64,
    pub broken: Vec<String>,
}

/// Runs every proof.
pub async fn examine(service: &Tributary) -> Result<Vec<Finding>> {
    let db = &service.db;
    let finding = |what, broken: Vec<String>| Finding { what, checked: 0, skipped: 0, broken };
    let mut findings = vec![finding("the database's own pages and references are whole", proof::broken_pages(db).await?)];
    let off = proof::unbalanced_journals(db).await?;
    findings.push(finding("every journal sums to zero", off.iter().map(|(id, sum)| format!("{id} sums to {sum}")).collect()));
    let off = proof::commissions_off_ledger(db).await?;
    let said = off.iter().map(|(id, amount, posted)| format!("{id} says {amount}, the ledger {posted}"));
    findings.push(finding("every commission equals its ledger entries", said.collect()));
    let off = proof::states_off_ledger(db).await?;
    let said = off.iter().map(|(id, state, held)| format!("{id} is {state} and still holds {held}"));
    findings.push(finding("nothing is held of a commission whose hold is over", said.collect()));
    findings.push(commissions_follow_orders(service).await?);
    findings.push(commissions_follow_leads(service).await?);
    findings.push(volumes_follow_commissions(service).await?);
    findings.push(decisions::come_out_the_same(service).await?);
    let off = proof::over_refunded(db).await?;
    let said = off.iter().map(|(id, total, refunded)| format!("order {id}: {refunded} of {total}"));
    findings.push(finding("no order is refunded by more than its total", said.collect()));
    let undecided = proof::undecided(db).await?;
    findings.push(finding("every approved order has its decision", undecided.iter().map(|id| format!("order {id}")).collect()));
    let off = proof::runs_off_lines(db).await?;
    let said = off.iter().map(|(id, total, lines, posted)| format!("{id}: total {total}, lines {lines}, posted {posted}"));
    findings.push(finding("every run's total equals its lines and its postings", said.collect()));
    findings.push(exports_stay_the_same(service).await?);
    findings.push(statements_close(service).await?);
    findings.extend(super::documents::proofs(service).await?);
    findings.push(credits_sum_to_orders(service).await?);
    findings.push(touch_days_match(service).await?);
    findings.push(super::persons_proof::persons_follow_evidence(service).await?);
    Ok(findings)
}

/// What each order owes by its present state and the rules frozen with its decision, against what is stored.
async fn commissions_follow_orders(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding =
        Finding { what: "every commission is what the order's state owes", checked: 0, skipped: 0, broken: Vec::new() };
    let mut after = 0;
    loop {
        let page = proof::owed_orders(db, after, 500).await?;
        let Some(last) = page.last() else { return Ok(finding) };
        after = last.0;
        for id in page {
            let order = order::by_id(db, id).await?;
            let decided = match decision::must_be(db, id).await {
                Ok(decided) => decided,
                Err(error) => {
                    finding.broken.push(format!("order {}: {error}", order.external_id));
                    continue;
                }
            };
            let commissions = commission::of_order(db, id).await?;
            let stored: BTreeMap<_, _> =
                commissions.iter().filter(|c| c.amount_minor != 0).map(|c| ((c.partner_id, c.rule_id), c.amount_minor)).collect();
            let refunds = refund::of_order(db, id).await?;
            let declined = |partner, rule| {
                commissions.iter().any(|c| (c.partner_id, c.rule_id) == (partner, rule) && c.declined_because.is_some())
            };
            let owed: BTreeMap<_, _> = match settle::due(&order, &decided, &settle::refunded_lines(&refunds), declined) {
                Ok(due) => due
                    .iter()
                    .filter(|due| due.explanation.owed_minor() != 0)
                    .map(|due| ((due.partner, due.explanation.rule()), due.explanation.owed_minor()))
                    .collect(),
                Err(error) => {
                    finding.broken.push(format!("order {}: {error}", order.external_id));
                    continue;
                }
            };
            finding.checked += 1;
            if stored != owed {
                finding.broken.push(format!("order {}: stored {stored:?}, owed {owed:?}", order.external_id));
            }
        }
    }
}

/// What each lead owes by its present state and the rules frozen with its decision.
async fn commissions_follow_leads(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding = Finding { what: "every lead is paid for as its state owes", checked: 0, skipped: 0, broken: Vec::new() };
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
    let mut finding = Finding {
        what: "every month's volume is that of its orders, and is paid by its tiers",
        checked: 0,
        skipped: 0,
        broken: Vec::new(),
    };
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

async fn exports_stay_the_same(service: &Tributary) -> Result<Finding> {
    let mut finding =
        Finding { what: "every exported file can be written again, byte for byte", checked: 0, skipped: 0, broken: Vec::new() };
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
    let mut finding =
        Finding { what: "every statement closes with the sum of its balances", checked: 0, skipped: 0, broken: Vec::new() };
    let this_month = Period::of(service.context("doctor").today());
    let mut partners: Vec<_> = ledger::balances(db, None, FAR_DAY).await?.into_iter().map(|(p, ..)| p).collect();
    partners.dedup();
    for partner in partners {
        let Some(first) = ledger::entries(db, Some(partner), 0, i64::MAX).await?.iter().map(|e| e.day).min() else { continue };
        let mut period = Period::of(first);
        while period <= this_month {
            for s in super::statement::of_month(db, partner, period).await? {
                finding.checked += 1;
                let sum = s.opening_minor + s.earned_minor - s.reversed_minor + s.adjusted_minor - s.paid_minor;
                if sum != s.closing.total_minor() {
                    finding.broken.push(format!(
                        "{partner} in {period}, {}: {sum} is not {}",
                        s.currency,
                        s.closing.total_minor()
                    ));
                }
            }
            period = period.next();
        }
    }
    Ok(finding)
}

/// For every model, the credits of every approved order sum to its net amount, and the report to all orders.
async fn credits_sum_to_orders(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding = Finding {
        what: "the credits of every order sum to its net amount, in every model",
        checked: 0,
        skipped: 0,
        broken: Vec::new(),
    };
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
            let question = Question { from, to, model: Model::Linear, group_by, credit: options, currency: Some(currency) };
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
