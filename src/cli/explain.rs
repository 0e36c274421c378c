//! `explain`.

use crate::config::Config;
use crate::service::decide;
use crate::store::{commission, decision, order};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The order's external id
    order: String,
}

impl Explain {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let db = &service.db;
        let Some(order) = order::by_external_id(db, &self.order).await? else {
            anyhow::bail!("there is no order '{}'", self.order);
        };
        println!("order {} of {}, {}", order.external_id, order.placed_at.to_rfc3339(), order.amounts.net());
        let (trace, others) = match decision::of_order(db, order.id).await? {
            Some(decided) => {
                let partner = decided.partner_id.map_or("nobody".to_owned(), |p| p.to_string());
                let (policy, reason) = (decided.policy.name(), decided.reason.name());
                println!("owed to {partner} by {policy}: {reason} (decided {})", decided.decided_at.0.to_rfc3339());
                (decided.trace.0, decided.other_policies.0)
            }
            None => {
                println!("not approved yet, so nothing is decided; today it would be:");
                let (decision, _) = decide::consider(db, &order).await?;
                (decision.trace, decision.other_policies)
            }
        };
        let mut rows = Vec::new();
        for item in trace {
            let verdict = serde_json::to_value(item.verdict)?.as_str().unwrap_or_default().to_owned();
            let partner = item.partner.map_or(String::new(), |p| p.to_string());
            rows.push(vec![item.touch, item.at.to_rfc3339(), partner, verdict, item.reason.name().to_owned(), item.detail]);
        }
        super::print_columns(&rows);
        for commission in commission::of_order(db, order.id).await? {
            println!("{} for {}: {}", commission.id, commission.partner_id, commission.explanation.0.formula());
        }
        for (policy, partner) in others {
            println!("{policy} would say {}", partner.map_or("nobody".to_owned(), |p| p.to_string()));
        }
        Ok(ExitCode::SUCCESS)
    }
}
