//! How things look outside.

use crate::domain::bank_statement::Verdict;
use crate::domain::commission::{Cap, Explanation, Rule, StepTerms, Terms, Tiers, VolumeBy};
use crate::domain::link::short_url;
use crate::domain::money::{Currency, Money, RatePpm};
use crate::domain::program::Program;
use crate::domain::referral::Share;
use crate::service::bank_statement::Comparison;
use crate::service::payout::{RunWithLines, state_name};
use crate::service::payout_file::FileContents;
use crate::service::spool::Hit;
use crate::store::commission::Commission;
use crate::store::creative::Creative;
use crate::store::decision::{StoredDecision, StoredShare};
use crate::store::lead::Lead;
use crate::store::ledger::EntryRow;
use crate::store::link::{LinkDetails, TargetRow};
use crate::store::miss::Miss;
use crate::store::order::Order;
use crate::store::partner::Partner;
use crate::store::person_merge::Merge;
use crate::store::promo::PromoCode;
use crate::store::rejected_hit::RejectedHit;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// RFC 3339 in UTC.
pub fn instant(at: impl Into<DateTime<Utc>>) -> String {
    let at: DateTime<Utc> = at.into();
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn money(minor: i64, currency: Currency) -> Money {
    Money::new(minor, currency)
}

/// `percent` or an amount under `name`, as it was sent.
fn offer(share: Share, name: &str, currency: Currency) -> Value {
    match share {
        Share::PercentPpm(ppm) => json!({ "percent": RatePpm::from_ppm(ppm).map(RatePpm::percent) }),
        Share::FixedMinor(minor) => json!({ name: money(minor, currency) }),
    }
}

pub fn program(p: &Program) -> Value {
    let terms = p.referral.as_ref();
    json!({
        "id": p.id,
        "name": p.name,
        "currency": p.currency,
        "destination_hosts": p.destination_hosts,
        "click_window_days": p.click_window_days,
        "view_window_days": p.view_window_days,
        "hold_days": p.hold_days,
        "credit_policy": p.credit_policy,
        "lifetime_days": p.lifetime_days,
        "lifetime_orders": p.lifetime_orders,
        "excluded_categories": p.excluded_categories,
        "approval": if p.manual_approval { "manual" } else { "automatic" },
        "group_hold_days": p.group_hold_days,
        "min_payout": money(p.min_payout_minor, p.currency),
        "new_customers_only": p.new_customers_only,
        "fallback_url": p.fallback_url,
        "ad_marking_required": p.ad_marking_required,
        "link_domains": p.link_domains,
        "kind": if terms.is_some() { "referral" } else { "affiliate" },
        "reward": terms.map(|t| offer(t.reward, "fixed", p.currency)),
        "friend_discount": terms.and_then(|t| t.friend_discount).map(|off| offer(off, "amount", p.currency)),
        "referral_url": terms.map(|t| &t.url),
    })
}

pub fn partner(p: &Partner) -> Value {
    json!({
        "id": p.id,
        "external_id": p.external_id,
        "name": p.name,
        "email": p.email,
        "kind": p.kind,
        "status": p.status,
        "group": p.group_name,
        "recruited_by": p.recruiter_id,
        "payout": p.payout.0,
        "created_at": instant(p.created_at),
    })
}

pub fn link(details: &LinkDetails, public_url: &str) -> Value {
    let l = &details.link;
    let target =
        |t: &TargetRow| json!({ "id": t.id, "url": t.url, "weight": t.weight, "device": t.device, "country": t.country });
    json!({
        "id": l.id,
        "code": l.code,
        "short_url": short_url(public_url, details.domain.as_deref(), &l.code),
        "program": l.program_id,
        "partner": l.partner_id,
        "url": l.url,
        "utm": l.utm.0,
        "expires_at": l.expires_at.map(instant),
        "paused": l.paused,
        "fallback_url": l.fallback_url,
        "targets": details.targets.iter().map(target).collect::<Vec<_>>(),
        "aliases": details.aliases,
        "creative": l.creative_id,
        "erid": l.erid(),
        "created_at": instant(l.created_at),
        "warnings": if details.unmarked { vec![unmarked_warning()] } else { Vec::new() },
    })
}

fn unmarked_warning() -> Value {
    json!({ "code": "unmarked", "detail": "the program requires ad marking: give the link an erid, or a creative that has one" })
}

pub fn creative(c: &Creative) -> Value {
    let contract = c.contract_number.as_ref().map(|number| json!({ "number": number, "date": c.contract_date }));
    let advertiser = c.advertiser_name.as_ref().map(|name| json!({ "name": name, "inn": c.advertiser_inn }));
    json!({
        "id": c.id,
        "program": c.program_id,
        "name": c.name,
        "kind": c.kind,
        "erid": c.erid,
        "advertiser": advertiser,
        "contract": contract,
        "url": c.url,
        "html": c.html,
        "text": c.text,
        "created_at": instant(c.created_at),
    })
}

pub fn miss(m: &Miss) -> Value {
    json!({
        "id": m.id,
        "kind": m.kind,
        "value": m.value,
        "nearest": m.nearest,
        "detail": m.detail,
        "count": m.count,
        "first_at": instant(m.first_at),
        "last_at": instant(m.last_at),
        "resolved_at": m.resolved_at.map(instant),
    })
}

pub fn person_merge(m: &Merge) -> Value {
    let moved: Vec<Value> = m.identifiers.0.iter().map(|(kind, value)| json!({ "kind": kind, "value": value })).collect();
    json!({
        "id": m.id,
        "kept": m.kept_person_id,
        "merged": m.merged_person_id,
        "moved": moved,
        "because": m.because,
        "at": instant(m.at),
        "reversed_at": m.reversed_at.map(instant),
        "reversed_by": m.reversed_by,
        "reversed_because": m.reversed_because,
    })
}

/// A refused hit; its record as JSON, or as it is where it cannot be read.
pub fn rejected_hit(r: &RejectedHit) -> Value {
    let hit = match Hit::read(&r.hit).ok().and_then(|hit| serde_json::to_value(hit).ok()) {
        Some(Value::Object(mut fields)) => {
            fields.retain(|_, value| !value.is_null());
            Value::Object(fields)
        }
        _ => json!({ "base64": STANDARD.encode(&r.hit) }),
    };
    json!({ "id": r.id.to_string(), "at": instant(r.at), "reason": r.reason, "hit_id": r.hit_id, "hit": hit })
}

pub fn promo_code(p: &PromoCode, currency: Currency) -> Value {
    let discount = match (p.discount_ppm.and_then(RatePpm::from_ppm), p.discount_minor) {
        (Some(rate), _) => json!({ "percent": rate.percent() }),
        (None, Some(minor)) => json!({ "amount": money(minor, currency) }),
        (None, None) => Value::Null,
    };
    json!({
        "id": p.id,
        "code": p.code,
        "program": p.program_id,
        "partner": p.partner_id,
        "discount": discount,
        "starts_at": p.starts_at.map(instant),
        "ends_at": p.ends_at.map(instant),
        "max_uses": p.max_uses,
        "created_at": instant(p.created_at),
    })
}

fn step_terms(terms: StepTerms, currency: Currency) -> (Option<String>, Option<Money>) {
    match terms {
        StepTerms::Percent(rate) => (Some(rate.percent()), None),
        StepTerms::Fixed(minor) => (None, Some(money(minor, currency))),
    }
}

fn tiers(tiers: &Tiers, currency: Currency) -> Value {
    let steps: Vec<Value> = tiers
        .steps
        .iter()
        .map(|step| {
            let (percent, fixed) = step_terms(step.terms, currency);
            let from = match tiers.by {
                VolumeBy::Revenue => Money::new(step.from, currency).decimal(),
                VolumeBy::Orders => step.from.to_string(),
            };
            json!({ "from": from, "percent": percent, "fixed": fixed })
        })
        .collect();
    json!({ "by": tiers.by, "mode": tiers.mode, "steps": steps })
}

pub fn rule(r: &Rule, currency: Currency) -> Value {
    let (percent, fixed) = match &r.terms {
        Terms::Percent(rate) => step_terms(StepTerms::Percent(*rate), currency),
        Terms::Fixed(minor) => step_terms(StepTerms::Fixed(*minor), currency),
        Terms::Tiers(_) => (None, None),
    };
    let tiers = match &r.terms {
        Terms::Tiers(of) => Some(tiers(of, currency)),
        Terms::Percent(_) | Terms::Fixed(_) => None,
    };
    let cap = |cap: Cap| json!({ "amount": money(cap.minor, currency), "per": cap.per, "each_partner": cap.each_partner });
    json!({
        "id": r.id,
        "version": r.version,
        "state": if r.published { "published" } else { "draft" },
        "program": r.program,
        "kind": r.kind,
        "partner": r.partner,
        "group": r.group,
        "product": r.product,
        "category": r.category,
        "customer": r.customer,
        "on": r.on,
        "lead": r.lead,
        "percent": percent,
        "fixed": fixed,
        "tiers": tiers,
        "base": r.base,
        "minimum": r.limits.least_minor.map(|minor| money(minor, currency)),
        "maximum": r.limits.most_minor.map(|minor| money(minor, currency)),
        "cap": r.cap.map(cap),
        "recurring": r.recurring,
        "priority": r.priority,
        "starts_at": instant(r.starts_at),
        "ends_at": r.ends_at.map(instant),
    })
}

pub fn lead(l: &Lead, commissions: &[Commission]) -> Value {
    let payable = match &l.decision {
        None => json!({ "partner": null, "via": "none", "reason": null, "decided": false }),
        Some(d) => json!({
            "partner": d.0.owed_to.map(|(partner, _)| partner), "program": d.0.owed_to.map(|(_, program)| program), "via": d.0.via,
            "reason": d.0.reason, "policy": d.0.policy, "touch": d.0.touch, "decided": true, "decided_at": instant(d.0.decided_at),
            "trace": d.0.trace,
        }),
    };
    json!({
        "id": l.id,
        "external_id": l.external_id,
        "name": l.name,
        "stage": l.stages.0.last().map(|stage| &stage.stage),
        "stages": l.stages.0.iter().map(|s| json!({ "stage": s.stage, "at": instant(s.at) })).collect::<Vec<_>>(),
        "status": l.status,
        "at": instant(l.at),
        "customer": l.customer_id,
        "payable": payable,
        "commissions": commissions.iter().map(commission).collect::<Vec<_>>(),
        "created_at": instant(l.created_at),
        "updated_at": instant(l.updated_at),
    })
}

pub fn commission(c: &Commission) -> Value {
    let explanation = &c.explanation.0;
    let numbers = match explanation {
        Explanation::Order(owed) => json!({
            "total": money(owed.total_minor, owed.currency),
            "tax": money(owed.tax_minor, owed.currency),
            "shipping": money(owed.shipping_minor, owed.currency),
            "refunded": money(owed.refunded_minor, owed.currency),
            "commissionable": money(owed.commissionable_minor, owed.currency),
            "base": money(owed.base_minor, owed.currency),
            "before_refunds": money(owed.full_minor, owed.currency),
            "rounding": "half_even",
        }),
        Explanation::SecondTier(owed) => json!({
            "second_tier_of": owed.second_tier_of,
            "percent": owed.rate.percent(),
            "earned": money(owed.earned_minor, owed.currency),
        }),
        Explanation::Volume(owed) => json!({
            "month": owed.month,
            "volume": owed.versions.iter().map(|v| json!({
                "version": v.version, "revenue": money(v.volume.base_minor, owed.currency), "orders": v.volume.orders,
                "owed": money(v.owed_minor, owed.currency),
            })).collect::<Vec<_>>(),
            "earned_at_once": money(owed.earned_at_once_minor, owed.currency),
        }),
        Explanation::Clicks(owed) => json!({
            "day": owed.day,
            "clicks": owed.clicks,
            "a_click": money(owed.a_click_minor, owed.currency),
        }),
        Explanation::Lead(owed) => json!({ "lead": owed.lead, "a_lead": money(owed.a_lead_minor, owed.currency) }),
    };
    json!({
        "id": c.id,
        "kind": c.kind,
        "partner": c.partner_id,
        "program": c.program_id,
        "period": c.period,
        "state": state_name(c.state),
        "amount": money(c.amount_minor, c.currency),
        "hold_until": instant(c.hold_until),
        "needs_approval": c.needs_approval,
        "judged_by": c.judged_by,
        "declined_because": c.declined_because,
        "payout_run": c.payout_run_id,
        "rule": c.rule_id,
        "rule_version": c.rule_version,
        "formula": explanation.formula(),
        "explanation": numbers,
    })
}

/// One partner's part of an order that several share: `touches` of all that share.
fn share(s: &StoredShare) -> Value {
    json!({ "partner": s.partner_id, "program": s.program_id, "via": s.via, "touch": s.touch, "touches": s.touches })
}

pub fn payable(decision: Option<&StoredDecision>) -> Value {
    match decision {
        None => json!({ "partner": null, "via": "none", "reason": null, "policy": null, "decided": false }),
        Some(d) => json!({
            "partner": d.partner_id,
            "program": d.program_id,
            "via": d.via,
            "reason": d.reason,
            "policy": d.policy,
            "touch": d.touch,
            "shares": d.shares.iter().map(share).collect::<Vec<_>>(),
            "decided": true,
            "decided_at": instant(d.decided_at),
        }),
    }
}

pub fn order(o: &Order, decision: Option<&StoredDecision>, commissions: &[Commission]) -> Value {
    let c = o.amounts.currency;
    let items: Vec<Value> = o
        .amounts
        .items
        .iter()
        .map(|i| json!({ "sku": i.sku, "name": i.name, "category": i.category, "quantity": i.quantity, "amount": money(i.amount_minor, c) }))
        .collect();
    json!({
        "id": o.id,
        "external_id": o.external_id,
        "status": o.status,
        "placed_at": instant(o.placed_at),
        "currency": c,
        "total": money(o.amounts.total_minor, c),
        "tax": money(o.amounts.tax_minor, c),
        "shipping": money(o.amounts.shipping_minor, c),
        "discount": money(o.amounts.discount_minor, c),
        "refunded": money(o.amounts.refunded_minor, c),
        "net": o.amounts.net(),
        "items": items,
        "promo_codes": o.promo_codes,
        "customer": o.customer_id,
        "payable": payable(decision),
        "commissions": commissions.iter().map(commission).collect::<Vec<_>>(),
        "created_at": instant(o.created_at),
        "updated_at": instant(o.updated_at),
    })
}

/// What a bank statement says of a run.
pub fn comparison(comparison: &Comparison) -> Value {
    let Comparison { statement, found } = comparison;
    let entries = statement.entries.iter().zip(&found.verdicts);
    let entries: Vec<Value> = entries
        .map(|(entry, verdict)| {
            let due = match verdict {
                Verdict::AmountDiffers { due, .. } => Some(due),
                Verdict::Paid(_) | Verdict::PaidAgain(_) | Verdict::Returned(_) | Verdict::Unknown => None,
            };
            json!({
                "verdict": verdict.word(),
                "partner": verdict.partner(),
                "due": due,
                "date": entry.date,
                "amount": entry.amount,
                "direction": entry.direction,
                "document_number": entry.document_number,
                "end_to_end_id": entry.end_to_end_id,
                "counterparty": { "name": entry.counterparty.name, "inn": entry.counterparty.inn, "account": entry.counterparty.account },
                "purpose": entry.purpose,
                "bank_reference": entry.bank_reference,
            })
        })
        .collect();
    json!({
        "accounts": statement.accounts,
        "from": statement.from,
        "to": statement.to,
        "entries": entries,
        "not_found": found.not_found,
    })
}

/// What a file of a run would hold.
pub fn file_contents(contents: &FileContents) -> Value {
    let left_out = contents.left_out.iter();
    let left_out: Vec<Value> = left_out
        .map(|l| json!({ "partner": l.partner, "name": l.name, "amount": money(l.amount_minor, l.currency), "reason": l.why.to_string() }))
        .collect();
    json!({
        "format": contents.format.to_string(),
        "parts": contents.parts,
        "payments": contents.payments,
        "total": contents.total,
        "left_out": left_out,
        "problem": contents.problem.as_ref().map(ToString::to_string),
    })
}

pub fn run(loaded: &RunWithLines) -> Value {
    let RunWithLines { run, lines } = loaded;
    let lines: Vec<Value> = lines
        .iter()
        .map(|l| {
            json!({
                "partner": l.partner_id,
                "name": l.partner_name,
                "amount": money(l.amount_minor, run.currency),
                "standing": l.standing,
                "tax": money(l.tax_minor, run.currency),
                "net": money(l.net_minor(), run.currency),
                "disposition": l.disposition,
                "reason": l.reason,
                "payout": l.payout.0,
            })
        })
        .collect();
    json!({
        "id": run.id,
        "period": run.period,
        "currency": run.currency,
        "early": run.early,
        "state": run.state,
        "total": money(run.total_minor, run.currency),
        "built_at": instant(run.built_at),
        "built_by": run.built_by,
        "approved_at": run.approved_at.map(instant),
        "approved_by": run.approved_by,
        "paid_at": run.paid_at.map(instant),
        "paid_by": run.paid_by,
        "bank_reference": run.bank_reference,
        "lines": lines,
    })
}

pub fn entry(e: &EntryRow) -> Value {
    json!({
        "id": e.id,
        "journal": e.journal_id,
        "kind": e.kind,
        "day": e.day,
        "at": instant(e.at),
        "account": e.account,
        "partner": e.partner_id,
        "amount": money(e.amount_minor, e.currency),
        "order": e.order_external_id,
        "commission": e.commission_id,
        "payout_run": e.payout_run_id,
    })
}
