//! What waits for one commit of the spool on disk: frames, and those who want to know that they are safe.

use super::IfRefused;
use super::batch::Batch;
use crate::store::spool::ROW_BYTES;
use std::sync::Arc;

/// Frames that wait for the next commit.
pub(super) struct Pending {
    pub frames: Vec<u8>,
    /// Where each frame ends, and whether it is to be kept if the disk refuses.
    pub ends: Vec<(usize, IfRefused)>,
    pub batch: Arc<Batch>,
}

impl Pending {
    pub fn empty() -> Pending {
        Pending { frames: Vec::with_capacity(1 << 16), ends: Vec::with_capacity(256), batch: Batch::new() }
    }

    /// The same buffers, empty, for another batch.
    pub fn emptied(mut self) -> Pending {
        self.frames.clear();
        self.frames.shrink_to(1 << 20);
        self.ends.clear();
        Pending { batch: Batch::new(), ..self }
    }

    /// The frames as rows of the file: as many to a row as fit a page.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let (mut next, mut start) = (0, 0);
        std::iter::from_fn(move || {
            let first = next;
            while let Some((end, _)) = self.ends.get(next)
                && (next == first || end - start <= ROW_BYTES)
            {
                next += 1;
            }
            let end = self.ends.get(next.checked_sub(1)?)?.0;
            let row = (end > start).then(|| &self.frames[start..end]);
            start = end;
            row
        })
    }

    /// What the senders will not send again.
    pub fn keep(&self) -> Pending {
        let mut kept = Pending::empty();
        let mut start = 0;
        for (end, if_refused) in &self.ends {
            if *if_refused == IfRefused::TryAgain {
                kept.frames.extend_from_slice(&self.frames[start..*end]);
                kept.ends.push((kept.frames.len(), IfRefused::TryAgain));
            }
            start = *end;
        }
        kept
    }

    /// Puts what was refused before in front.
    pub fn after(self, mut owed: Pending) -> Pending {
        let offset = owed.frames.len();
        owed.frames.extend_from_slice(&self.frames);
        owed.ends.extend(self.ends.iter().map(|(end, if_refused)| (end + offset, *if_refused)));
        Pending { batch: self.batch, ..owed }
    }
}
