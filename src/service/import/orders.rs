//! Orders out of a file: recorded by the hundred, as far as they can go together.

use super::row::{Row, read_order};
use super::{ImportError, ImportProblem, Imported, problems_of};
use crate::service::order::{Sent, record, record_together};
use crate::service::{Context, Error, Result};
use crate::store::Tx;

/// Orders recorded in one go.
const AT_ONCE: usize = 500;

/// The orders of a file that are not recorded yet.
#[derive(Default)]
pub(super) struct Orders {
    waiting: Vec<Waiting>,
}

struct Waiting {
    line: u64,
    sent: Sent,
}

impl Orders {
    /// Takes a row in; it is recorded with those that wait.
    pub(super) fn take(&mut self, context: &Context, row: &Row<'_>, line: u64) -> Result<()> {
        let order = read_order(row).check(context)?;
        self.waiting.push(Waiting { line, sent: Sent { order, actor: context.actor.clone() } });
        Ok(())
    }

    /// Records what waits, once it is much. Answers what is wrong with them.
    pub(super) async fn record_many(
        &mut self,
        tx: &mut Tx,
        context: &Context,
        done: &mut Imported,
    ) -> std::result::Result<Vec<ImportProblem>, ImportError> {
        if self.waiting.len() >= AT_ONCE { self.record(tx, context, done).await } else { Ok(Vec::new()) }
    }

    /// Records what waits. Answers what is wrong with them.
    pub(super) async fn record(
        &mut self,
        tx: &mut Tx,
        context: &Context,
        done: &mut Imported,
    ) -> std::result::Result<Vec<ImportProblem>, ImportError> {
        let mut rest = std::mem::take(&mut self.waiting);
        loop {
            let sent: Vec<Sent> = rest.iter().map(|waiting| waiting.sent.clone()).collect();
            let recorded = match record_together(tx, context, context.now, &sent).await {
                Ok(recorded) => recorded,
                Err(error @ Error::Store(_)) => return Err(error.into()),
                // One of them is wrong, and nothing of any is stored: each will say it for itself.
                Err(_) => break,
            };
            let before = rest.len();
            let mut recorded = recorded.into_iter();
            rest.retain(|_| recorded.next().is_none_or(|recorded| recorded.is_none()));
            done.new += (before - rest.len()) as u64;
            // Those who come again in the same file may go together now that their first order is known.
            if rest.len() == before || rest.is_empty() {
                break;
            }
        }
        let mut problems = Vec::new();
        for Waiting { line, sent } in rest {
            match record(tx, context, &sent.order).await {
                Ok(recorded) if recorded.is_new => done.new += 1,
                Ok(_) => done.known += 1,
                Err(error) => problems.extend(problems_of(error, line, "row")?),
            }
        }
        Ok(problems)
    }
}
