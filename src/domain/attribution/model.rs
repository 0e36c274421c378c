//! The names of the models, and the one that carries numbers: position shares of the marketer's own.

/// How an order's credit is shared among the touches before it. `docs/models.md` says what each of them means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Model {
    LastClick,
    LastNonDirect,
    FirstClick,
    Linear,
    TimeDecay,
    PositionBased,
    WShaped,
    /// `custom:FIRST/MIDDLE/LAST`
    Custom(PositionShares),
    Markov,
    Shapley,
    ShapleyRate,
}

impl Model {
    /// Every model that needs no numbers of its own.
    pub const ALL: [Model; 10] = [
        Model::LastClick,
        Model::LastNonDirect,
        Model::FirstClick,
        Model::Linear,
        Model::TimeDecay,
        Model::PositionBased,
        Model::WShaped,
        Model::Markov,
        Model::Shapley,
        Model::ShapleyRate,
    ];

    /// Whether the model must be fitted over all journeys of a period, converting and null, before it can share an order.
    pub fn needs_a_fit(self) -> bool {
        match self {
            Model::Markov | Model::ShapleyRate => true,
            Model::LastClick
            | Model::LastNonDirect
            | Model::FirstClick
            | Model::Linear
            | Model::TimeDecay
            | Model::PositionBased
            | Model::WShaped
            | Model::Custom(_)
            | Model::Shapley => false,
        }
    }

    /// The name without numbers; [`std::fmt::Display`] writes them too.
    pub fn name(self) -> &'static str {
        match self {
            Model::LastClick => "last_click",
            Model::LastNonDirect => "last_non_direct",
            Model::FirstClick => "first_click",
            Model::Linear => "linear",
            Model::TimeDecay => "time_decay",
            Model::PositionBased => "position_based",
            Model::WShaped => "w_shaped",
            Model::Custom(_) => "custom",
            Model::Markov => "markov",
            Model::Shapley => "shapley",
            Model::ShapleyRate => "shapley_rate",
        }
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Model::Custom(shares) => write!(f, "custom:{}/{}/{}", shares.first, shares.middle, shares.last),
            model => f.write_str(model.name()),
        }
    }
}

impl From<Model> for String {
    fn from(model: Model) -> String {
        model.to_string()
    }
}

/// The text names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownModel {
    #[error("'{0}' is not a model; there are {all} and custom:FIRST/MIDDLE/LAST", all = Model::ALL.map(Model::name).join(", "))]
    Name(String),
    #[error(
        "'{0}' is not like custom:30/40/30: whole percentages of the first, the middle and the last touch that add up to 100"
    )]
    Shares(String),
}

impl std::str::FromStr for Model {
    type Err = UnknownModel;
    fn from_str(text: &str) -> Result<Self, UnknownModel> {
        let text = text.trim();
        let told: String = text.chars().take(60).collect();
        if text == "custom" {
            return Err(UnknownModel::Shares(told));
        }
        if let Some(shares) = text.strip_prefix("custom:") {
            return PositionShares::read(shares).map(Model::Custom).ok_or(UnknownModel::Shares(told));
        }
        Model::ALL.into_iter().find(|m| m.name() == text).ok_or(UnknownModel::Name(told))
    }
}

impl TryFrom<String> for Model {
    type Error = UnknownModel;
    fn try_from(text: String) -> Result<Model, UnknownModel> {
        text.parse()
    }
}

/// What the first, all middle and the last touch get, in whole percent that add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PositionShares {
    first: u8,
    middle: u8,
    last: u8,
}

impl PositionShares {
    /// 40/20/40, the shares of `position_based`.
    pub const U_SHAPED: PositionShares = PositionShares { first: 40, middle: 20, last: 40 };

    /// `None` unless they add up to 100.
    pub fn new(first: u8, middle: u8, last: u8) -> Option<PositionShares> {
        let sum = u32::from(first) + u32::from(middle) + u32::from(last);
        (sum == 100).then_some(PositionShares { first, middle, last })
    }

    fn read(text: &str) -> Option<PositionShares> {
        let mut shares = text.split('/').map(|share| share.trim().parse::<u8>().ok());
        let read = PositionShares::new(shares.next()??, shares.next()??, shares.next()??)?;
        shares.next().is_none().then_some(read)
    }

    /// One whole-number weight for each of `count` touches. The middle shares equally; without a middle, first and last
    /// keep their proportion (halves if both have nothing); a single touch has everything.
    pub fn weights(self, count: usize) -> Vec<u64> {
        let [first, middle, last] = [self.first, self.middle, self.last].map(u64::from);
        match count {
            0 => Vec::new(),
            1 => vec![1],
            2 if first + last == 0 => vec![1, 1],
            2 => vec![first, last],
            _ => {
                let between = count as u64 - 2;
                let mut weights = vec![middle; count];
                weights[0] = first * between;
                weights[count - 1] = last * between;
                weights
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_from_the_text_it_is_written_as() {
        for model in Model::ALL.into_iter().chain([Model::Custom(PositionShares::U_SHAPED)]) {
            assert_eq!(model.to_string().parse(), Ok(model));
            let json = serde_json::to_string(&model).unwrap();
            assert_eq!(serde_json::from_str::<Model>(&json).unwrap(), model, "{json}");
        }
        assert_eq!(" custom:30/ 40/30".parse(), Ok(Model::Custom(PositionShares::new(30, 40, 30).unwrap())));
    }

    #[test]
    fn what_is_no_model_is_refused_with_a_hint() {
        for (text, hint) in [
            ("u_shaped", "there are last_click"),
            ("Linear", "there are last_click"),
            ("", "there are last_click"),
            ("custom", "custom:30/40/30"),
            ("custom:40/20/39", "add up to 100"),
            ("custom:40/20", "custom:30/40/30"),
            ("custom:40/20/20/20", "custom:30/40/30"),
            ("custom:-1/61/40", "custom:30/40/30"),
            ("custom:300/0/0", "custom:30/40/30"),
        ] {
            let refusal = text.parse::<Model>().unwrap_err().to_string();
            assert!(refusal.contains(hint), "{text}: {refusal}");
        }
    }
}
