//! The models that look at one journey at a time. Weights are whole numbers, so that money is split exactly.

use super::Model;
use crate::domain::channel::Channel;
use crate::domain::time::comes_after;
use crate::domain::touch::{Mark, TouchKind};
use chrono::{DateTime, TimeDelta, Utc};

/// How long before a conversion a touch still counts, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub click_days: i64,
    pub impression_days: i64,
}

impl Default for Window {
    /// Click 90 days, impression 1 day.
    fn default() -> Self {
        Window { click_days: 90, impression_days: 1 }
    }
}

impl Window {
    /// Days for a kind of touch.
    pub fn days(self, kind: TouchKind) -> i64 {
        match kind {
            TouchKind::Impression => self.impression_days,
            TouchKind::Click | TouchKind::Visit | TouchKind::Promo | TouchKind::Call => self.click_days,
        }
    }
}

/// What a model looks at in a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditTouch {
    pub at: DateTime<Utc>,
    pub kind: TouchKind,
    pub channel: Channel,
    pub mark: Option<Mark>,
}

/// Whether a model may look at the touch for a conversion at `converted_at`: no bot, not after it, inside the window.
pub fn touches_in_window(touch: &CreditTouch, converted_at: DateTime<Utc>, window: Window) -> bool {
    touch.mark.is_none()
        && !comes_after(touch.at, converted_at)
        && converted_at - touch.at <= TimeDelta::days(window.days(touch.kind))
}

/// A journey in order (time, then id), already cut to the window.
pub type ModelInput<'a> = &'a [CreditTouch];

/// One whole-number weight for each touch; their sum stands for the whole order. Empty for an empty journey.
///
/// Direct visits get credit only where nothing else is there, except in `last_click`.
pub fn credit_weights(model: Model, touches: ModelInput<'_>) -> Vec<u64> {
    let is_direct: Vec<bool> = touches.iter().map(|t| t.channel == Channel::Direct).collect();
    weights_by_direct(model, &is_direct)
}

/// [`credit_weights`] on nothing but which steps are direct.
pub(super) fn weights_by_direct(model: Model, is_direct: &[bool]) -> Vec<u64> {
    let count = is_direct.len();
    let all_direct = is_direct.iter().all(|d| *d);
    let eligible = |index: usize| all_direct || !is_direct[index];
    let only = |winner: Option<usize>| {
        let mut weights = vec![0; count];
        if let Some(winner) = winner {
            weights[winner] = 1;
        }
        weights
    };
    match model {
        Model::LastClick => only(count.checked_sub(1)),
        Model::LastNonDirect => only((0..count).rev().find(|i| eligible(*i))),
        Model::FirstClick => only((0..count).find(|i| eligible(*i))),
        Model::Linear => (0..count).map(|i| u64::from(eligible(i))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_model_gives_credit_where_it_should() {
        // d = direct, x = any other channel
        for (model, journey, expected) in [
            (Model::LastClick, "xxd", vec![0, 0, 1]),
            (Model::LastNonDirect, "xxd", vec![0, 1, 0]),
            (Model::LastNonDirect, "dd", vec![0, 1]),
            (Model::FirstClick, "dxx", vec![0, 1, 0]),
            (Model::FirstClick, "dd", vec![1, 0]),
            (Model::Linear, "xdx", vec![1, 0, 1]),
            (Model::Linear, "dd", vec![1, 1]),
            (Model::Linear, "", vec![]),
        ] {
            let direct: Vec<bool> = journey.chars().map(|c| c == 'd').collect();
            assert_eq!(weights_by_direct(model, &direct), expected, "{model:?} over {journey}");
        }
    }

    #[test]
    fn the_ends_of_the_window_count() {
        let order = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let window = Window::default();
        let touch = |kind, age| CreditTouch { at: order - age, kind, channel: Channel::Email, mark: None };
        let inside = |kind, age| touches_in_window(&touch(kind, age), order, window);
        assert!(inside(TouchKind::Click, TimeDelta::zero()));
        assert!(inside(TouchKind::Click, TimeDelta::days(90)));
        assert!(!inside(TouchKind::Click, TimeDelta::days(90) + TimeDelta::microseconds(1)));
        assert!(!inside(TouchKind::Click, TimeDelta::seconds(-1)));
        assert!(inside(TouchKind::Impression, TimeDelta::days(1)));
        assert!(!inside(TouchKind::Impression, TimeDelta::days(2)));
        assert!(!touches_in_window(
            &CreditTouch { mark: Some(Mark::Bot), ..touch(TouchKind::Click, TimeDelta::zero()) },
            order,
            window
        ));
    }

    proptest! {
        #[test]
        fn a_journey_always_gives_its_whole_credit(direct in prop::collection::vec(any::<bool>(), 1..30)) {
            for model in Model::ALL {
                let weights = weights_by_direct(model, &direct);
                prop_assert_eq!(weights.len(), direct.len());
                prop_assert!(weights.iter().sum::<u64>() > 0);
            }
        }
    }
}
