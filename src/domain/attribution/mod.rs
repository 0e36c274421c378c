//! Analytic credit: a person's touches and a model give every touch its share of an order.

pub mod paths;
mod rules;

pub use rules::{CreditTouch, ModelInput, Window, credit_weights, touches_in_window};

/// How an order's credit is shared among the touches before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    LastClick,
    LastNonDirect,
    FirstClick,
    Linear,
}

impl Model {
    pub const ALL: [Model; 4] = [Model::LastClick, Model::LastNonDirect, Model::FirstClick, Model::Linear];

    pub fn name(self) -> &'static str {
        match self {
            Model::LastClick => "last_click",
            Model::LastNonDirect => "last_non_direct",
            Model::FirstClick => "first_click",
            Model::Linear => "linear",
        }
    }
}

/// The text names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a model; there are last_click, last_non_direct, first_click, linear")]
pub struct UnknownModel(String);

impl std::str::FromStr for Model {
    type Err = UnknownModel;
    fn from_str(text: &str) -> Result<Self, UnknownModel> {
        Model::ALL.into_iter().find(|m| m.name() == text.trim()).ok_or_else(|| UnknownModel(text.chars().take(60).collect()))
    }
}
