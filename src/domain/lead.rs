//! Leads: named pre-sale events that are known by an id of their own, and may go through stages.

use super::order::OrderStatus;
use super::person::Who;
use chrono::{DateTime, Utc};

/// A stage that a lead reached; of a lead without stages, its name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeadStage {
    pub stage: String,
    pub at: DateTime<Utc>,
}

/// A lead as it came in, checked.
#[derive(Debug, Clone)]
pub struct NewLead {
    pub external_id: String,
    pub name: Option<String>,
    pub stage: Option<String>,
    pub status: OrderStatus,
    pub at: DateTime<Utc>,
    pub who: Who,
}

impl NewLead {
    /// What the lead has reached with this.
    pub fn reached(&self) -> Vec<LeadStage> {
        let names = [&self.name, &self.stage].into_iter().flatten();
        names.map(|stage| LeadStage { stage: stage.clone(), at: self.at }).collect()
    }
}
