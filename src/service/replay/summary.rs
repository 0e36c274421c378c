//! What became of touches, counted.

use crate::domain::channel::Channel;
use crate::domain::touch::Mark;
use crate::store::replay::Change;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many touches got a mark, and of how many it was taken off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkChanges {
    pub set: u64,
    pub taken_off: u64,
}

/// The differences that a run made or would make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Touches that were looked at.
    pub touches: u64,
    /// Those that are enriched otherwise now.
    pub changed: u64,
    /// From channel to channel.
    pub channels: BTreeMap<Channel, BTreeMap<Channel, u64>>,
    /// Touches whose source, medium, campaign, content or term are others.
    pub origins: u64,
    pub marks: BTreeMap<Mark, MarkChanges>,
    /// Touches whose mark stays and has another reason.
    pub reasons: u64,
    /// Ad costs that went into another channel.
    pub costs: u64,
}

impl Summary {
    pub(super) fn add(&mut self, change: &Change) {
        let Change { before, origin_differs, touch } = change;
        self.changed += 1;
        if before.channel != touch.channel {
            *self.channels.entry(before.channel).or_default().entry(touch.channel).or_default() += 1;
        }
        self.origins += u64::from(*origin_differs);
        if before.mark != touch.mark {
            if let Some(mark) = touch.mark {
                self.marks.entry(mark).or_default().set += 1;
            }
            if let Some(mark) = before.mark {
                self.marks.entry(mark).or_default().taken_off += 1;
            }
        } else if before.channel == touch.channel && !origin_differs {
            self.reasons += 1;
        }
    }
}
