//! `explain`: the trace of an order in sentences that can be read aloud.

use crate::config::Config;
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::payable::{Basis, Reason, TraceItem, Via};
use crate::domain::program::CreditPolicy;
use crate::domain::touch::Touch;
use crate::service::{decide, report};
use crate::store::commission::Commission;
use crate::store::order::Order;
use crate::store::{Db, commission, decision, order, program, touch};
use crate::web::api::orders::payable_of;
use crate::web::language::Language;
use crate::web::page::{formula, trace, words};
use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

/// Lines of an order that are named.
const MOST_ITEMS: usize = 5;

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The order's external id
    order: String,
    #[arg(long, value_enum, default_value = "en")]
    lang: Lang,
    /// The payable part of `GET /v1/orders/{id}/attribution` instead
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Lang {
    En,
    Ru,
}

/// What was decided, or would be.
struct Said {
    decided_at: Option<chrono::DateTime<chrono::Utc>>,
    owed: Option<(PartnerId, Via, Option<ProgramId>)>,
    /// Who shares it, with how many touches and codes.
    shares: Vec<(PartnerId, u64)>,
    reason: Reason,
    policy: CreditPolicy,
    trace: Vec<TraceItem>,
    loser: Option<String>,
    others: BTreeMap<String, Option<PartnerId>>,
    basis: Option<Basis>,
}

impl Explain {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let db = &service.db;
        let Some(order) = order::by_external_id(db, &self.order).await? else {
            anyhow::bail!("there is no order '{}'", self.order);
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&payable_of(db, &order).await?)?);
            return Ok(ExitCode::SUCCESS);
        }
        let language = match self.lang {
            Lang::En => Language::En,
            Lang::Ru => Language::Ru,
        };
        let touches = touch::of_person(db, order.person).await?.into_iter().map(|t| (t.label(), t)).collect();
        let programs = program::all(db).await?.into_iter().map(|p| (p.id, p.name)).collect();
        let partners = report::partner_names(db).await?;
        let teller = Teller { language, zone: service.zone, touches, programs, partners };
        let said = said(db, &order).await?;
        let lines = teller.tell(&order, &said, &commission::of_order(db, order.id).await?);
        // A terminal breaks lines where it likes, and whoever searches types a plain space.
        println!("{}", lines.join("\n").replace('\u{a0}', " "));
        Ok(ExitCode::SUCCESS)
    }
}

async fn said(db: &Db, order: &Order) -> anyhow::Result<Said> {
    Ok(match decision::of_order(db, order.id).await? {
        Some(d) => Said {
            decided_at: Some(d.decided_at.0),
            owed: d.partner_id.map(|partner| (partner, d.via, d.program_id)),
            shares: d.shares.iter().map(|share| (share.partner_id, share.touches.unsigned_abs())).collect(),
            reason: d.reason,
            policy: d.policy,
            trace: d.trace.0,
            loser: d.loser,
            others: d.other_policies.0,
            basis: d.basis.map(|basis| basis.0),
        },
        None => {
            let (d, basis) = decide::consider(db, order).await?;
            Said {
                decided_at: None,
                owed: d.winner.map(|w| (w.partner, w.via, Some(w.program))),
                shares: d.shares.iter().map(|share| (share.partner, share.touches)).collect(),
                reason: d.reason,
                policy: d.policy,
                trace: d.trace,
                loser: d.loser,
                others: d.other_policies,
                basis: Some(basis),
            }
        }
    })
}

struct Teller {
    language: Language,
    zone: chrono_tz::Tz,
    touches: HashMap<String, Touch>,
    programs: HashMap<ProgramId, String>,
    partners: HashMap<String, String>,
}

impl Teller {
    fn partner(&self, id: PartnerId) -> String {
        self.partners.get(&id.to_string()).cloned().unwrap_or_else(|| id.to_string())
    }

    fn at(&self, at: chrono::DateTime<chrono::Utc>) -> String {
        self.language.instant(self.zone, at)
    }

    fn tell(&self, order: &Order, said: &Said, commissions: &[Commission]) -> Vec<String> {
        let language = self.language;
        let mut lines = Vec::new();
        let (at, net) = (self.at(order.placed_at), language.money(order.amounts.net()));
        let number = order.external_id.as_str();
        lines.push(language.with("explain-order", &[("number", number.into()), ("at", at.into()), ("net", net.into())]));
        lines.extend(self.bought(order));
        if said.decided_at.is_none() {
            lines.push(language.text("explain-undecided"));
        }
        lines.push(self.owed(said));
        let shares: Vec<(String, u64)> = said.shares.iter().map(|(id, touches)| (self.partner(*id), *touches)).collect();
        lines.extend(trace::shares(language, &shares));
        let policy = language.text(words::policy(said.policy));
        let mut by = language.with("explain-policy", &[("policy", policy.into())]);
        if let Some(at) = said.decided_at {
            by = format!("{by} {}", language.with("order-decided", &[("at", self.at(at).into())]));
        }
        lines.push(by);
        lines.extend(self.terms(said));
        lines.push(String::new());
        lines.extend(self.trace(order, said));
        lines.push(self.loser(said));
        lines.push(String::new());
        for commission in commissions {
            let rule = [("rule", commission.rule_id.to_string().into()), ("version", commission.rule_version.into())];
            let filling = [
                ("partner", self.partner(commission.partner_id).into()),
                ("rule", language.with("rule-version", &rule).into()),
                ("formula", self.formula(commission).into()),
            ];
            lines.push(language.with("explain-commission", &filling));
        }
        for policy in CreditPolicy::ALL.into_iter().filter(|p| *p != said.policy) {
            let Some(partner) = said.others.get(policy.name()) else { continue };
            let name = ("policy", language.text(words::policy(policy)).into());
            lines.push(match partner {
                Some(partner) => language.with("explain-other", &[name, ("partner", self.partner(*partner).into())]),
                None => language.with("explain-other-nobody", &[name]),
            });
        }
        lines
    }

    fn formula(&self, commission: &Commission) -> String {
        match self.language {
            // As the API has it: with the currency's code and plain numbers.
            Language::En => commission.explanation.0.formula(),
            Language::Ru => formula::formula(self.language, &commission.explanation.0, &|id| self.partner(id)),
        }
    }

    fn bought(&self, order: &Order) -> Option<String> {
        let language = self.language;
        let items = &order.amounts.items;
        let named = items.iter().filter_map(|i| {
            let name = i.name.as_ref().or(i.sku.as_ref())?;
            Some(if i.quantity == 1 { name.clone() } else { format!("{} × {name}", i.quantity) })
        });
        let mut named: Vec<String> = named.take(MOST_ITEMS).collect();
        if named.is_empty() {
            return None;
        }
        let more = items.len() - named.len();
        if more > 0 {
            named.push(language.with("explain-more-items", &[("count", (more as i64).into())]));
        }
        Some(language.with("explain-bought", &[("items", named.join(", ").into())]))
    }

    fn owed(&self, said: &Said) -> String {
        let language = self.language;
        let reason = ("reason", language.text(words::reason(said.reason)).into());
        match said.owed {
            None => language.with("explain-nobody", &[reason]),
            Some((partner, via, _)) => {
                let via = ("via", language.text(words::via(via)).into());
                let partner = format!("{} ({partner})", self.partner(partner));
                language.with("explain-owed", &[("partner", partner.into()), via, reason])
            }
        }
    }

    /// The terms of the winner's program, as they stood.
    fn terms(&self, said: &Said) -> Option<String> {
        let language = self.language;
        let (_, _, program) = said.owed?;
        let Some(basis) = &said.basis else { return Some(language.text("explain-no-basis")) };
        let terms = basis.terms(program?)?;
        let name = self.programs.get(&terms.program).cloned().unwrap_or_else(|| terms.program.to_string());
        Some(trace::terms(language, &name, terms))
    }

    fn title(&self, item: &TraceItem) -> String {
        let title = trace::title(self.language, item, self.touches.get(&item.touch));
        match item.partner {
            Some(partner) => format!("{title} · {}", self.partner(partner)),
            None => title,
        }
    }

    fn trace(&self, order: &Order, said: &Said) -> Vec<String> {
        let language = self.language;
        let count = said.trace.len() as i64;
        if count == 0 {
            return vec![language.text("explain-no-touches")];
        }
        let mut lines =
            vec![language.with("explain-touches", &[("count", count.into()), ("shown", language.whole(count).into())])];
        let opens =
            trace::window_of(&said.trace).map(|(partner, days)| (partner, days, order.placed_at - chrono::TimeDelta::days(days)));
        let mut is_open = false;
        for item in &said.trace {
            if let Some((partner, days, at)) = opens
                && item.at >= at
                && !std::mem::replace(&mut is_open, true)
            {
                let partner = partner.map(|p| self.partner(p)).unwrap_or_default();
                let filling = [("days", days.into()), ("partner", partner.into()), ("at", self.at(at).into())];
                lines.push(format!("  — {}", language.with("window-opens", &filling)));
            }
            let verdict = language.text(words::verdict(item.verdict));
            let (reason, numbers) = trace::reason(language, item);
            let numbers = numbers.map(|n| format!(" — {n}")).unwrap_or_default();
            // The reason's name is that of the API, for whoever looks further.
            let line =
                format!("  {}: {}. {verdict}: {reason}{numbers}. [{}]", self.at(item.at), self.title(item), item.reason.name());
            lines.push(line);
        }
        lines
    }

    fn loser(&self, said: &Said) -> String {
        let language = self.language;
        let loser = said.loser.as_ref().and_then(|loser| said.trace.iter().find(|item| &item.touch == loser));
        let (Some((winner, ..)), Some(item)) = (said.owed, loser) else { return language.text("explain-no-loser") };
        let title = ("title", self.title(&TraceItem { partner: None, ..item.clone() }).into());
        let filling = [
            ("partner", self.partner(winner).into()),
            ("loser", item.partner.map(|p| self.partner(p)).unwrap_or_default().into()),
            title,
            ("at", self.at(item.at).into()),
        ];
        language.with("explain-loser", &filling)
    }
}
