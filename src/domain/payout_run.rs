//! Where a payout run and each of its lines stand. The run's state follows from its lines alone.

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Built,
    Approved,
    /// Something is paid, something is still due.
    PartlyPaid,
    /// Nothing is due any more, and something was paid.
    Paid,
    /// Nothing of it was paid, and nothing will be; its month may have another run.
    Cancelled,
}

impl RunState {
    pub fn name(self) -> &'static str {
        match self {
            RunState::Built => "built",
            RunState::Approved => "approved",
            RunState::PartlyPaid => "partly_paid",
            RunState::Paid => "paid",
            RunState::Cancelled => "cancelled",
        }
    }

    /// Whether its payments may be sent to the bank, or were.
    pub fn was_approved(self) -> bool {
        match self {
            RunState::Approved | RunState::PartlyPaid | RunState::Paid => true,
            RunState::Built | RunState::Cancelled => false,
        }
    }

    /// The state of an approved run by the states of its lines.
    pub fn of_lines(lines: impl IntoIterator<Item = LineState>) -> RunState {
        let (mut due, mut paid) = (false, false);
        for line in lines {
            due |= line == LineState::Due;
            paid |= line == LineState::Paid;
        }
        match (due, paid) {
            (true, true) => RunState::PartlyPaid,
            (true, false) => RunState::Approved,
            (false, true) => RunState::Paid,
            (false, false) => RunState::Cancelled,
        }
    }
}

/// Where a line of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// In payment.
    Due,
    Paid,
    /// The payment did not go through, or came back; the money is available again.
    Failed,
    /// Its run was cancelled; the money is available again.
    Cancelled,
    /// Left for the next run: below zero, or below the minimum.
    Carried,
    /// Not payable as things stood when the run was built.
    Blocked,
}

impl LineState {
    pub fn name(self) -> &'static str {
        match self {
            LineState::Due => "due",
            LineState::Paid => "paid",
            LineState::Failed => "failed",
            LineState::Cancelled => "cancelled",
            LineState::Carried => "carried",
            LineState::Blocked => "blocked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LineState::*;
    use super::*;

    #[test]
    fn a_runs_state_follows_from_its_lines() {
        for (lines, state) in [
            (vec![Due, Carried, Blocked], RunState::Approved),
            (vec![Due, Failed], RunState::Approved),
            (vec![Due, Paid, Failed], RunState::PartlyPaid),
            (vec![Paid, Failed, Blocked], RunState::Paid),
            (vec![Failed, Failed, Carried], RunState::Cancelled),
        ] {
            assert_eq!(RunState::of_lines(lines.clone()), state, "{lines:?}");
        }
    }

    #[test]
    fn the_stored_word_is_the_name() {
        for state in [RunState::Built, RunState::Approved, RunState::PartlyPaid, RunState::Paid, RunState::Cancelled] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        for state in [Due, Paid, Failed, Cancelled, Carried, Blocked] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
