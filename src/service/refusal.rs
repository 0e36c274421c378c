//! The names under which acts are refused: a program may rely on them, whatever the words beside them say.

/// Why an act was refused. Each has a name that stays, the `type` of the problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Any other conflict with what is stored.
    Conflict,
    MonthNotOver,
    MonthNotClosed,
    MonthInFuture,
    RunExists,
    NothingDue,
    CurrencyRequired,
    /// The run has to be approved first.
    NotApproved,
    /// Two persons are required, and this one built the run.
    SamePerson,
    /// Something of the run is paid.
    AlreadyPaid,
    RunCancelled,
    /// The line's payment has failed; its money waits for another run.
    LineFailed,
    /// The partner has no line in the run, or one that is not due.
    NoSuchLine,
    NothingInFile,
    /// A bank statement of another account than the payer's.
    OtherAccount,
    /// A bank statement of days that cannot tell of the run.
    OtherMonth,
    StatementUnreadable,
}

impl Refusal {
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Conflict => "conflict",
            Refusal::MonthNotOver => "month-not-over",
            Refusal::MonthNotClosed => "month-not-closed",
            Refusal::MonthInFuture => "month-in-future",
            Refusal::RunExists => "run-exists",
            Refusal::NothingDue => "nothing-due",
            Refusal::CurrencyRequired => "currency-required",
            Refusal::NotApproved => "not-approved",
            Refusal::SamePerson => "same-person",
            Refusal::AlreadyPaid => "already-paid",
            Refusal::RunCancelled => "run-cancelled",
            Refusal::LineFailed => "line-failed",
            Refusal::NoSuchLine => "no-such-line",
            Refusal::NothingInFile => "nothing-in-file",
            Refusal::OtherAccount => "other-account",
            Refusal::OtherMonth => "other-month",
            Refusal::StatementUnreadable => "statement-unreadable",
        }
    }

    /// Where it lies in what was sent, if the input alone is at fault.
    pub fn pointer(self) -> Option<&'static str> {
        match self {
            Refusal::MonthInFuture => Some("/period"),
            Refusal::CurrencyRequired => Some("/currency"),
            Refusal::NoSuchLine => Some("/lines"),
            Refusal::StatementUnreadable => Some(""),
            Refusal::Conflict
            | Refusal::MonthNotOver
            | Refusal::MonthNotClosed
            | Refusal::RunExists
            | Refusal::NothingDue
            | Refusal::NotApproved
            | Refusal::SamePerson
            | Refusal::AlreadyPaid
            | Refusal::RunCancelled
            | Refusal::LineFailed
            | Refusal::NothingInFile
            | Refusal::OtherAccount
            | Refusal::OtherMonth => None,
        }
    }
}
