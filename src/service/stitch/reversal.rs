//! A person takes a merge back. The evidence that crosses between the two sides is cut into parts, so that neither it nor
//! its repetition joins them again; evidence of another source may.

use super::ids;
use super::regroup::{Around, Cause};
use crate::domain::id::MergeId;
use crate::domain::person::Identifier;
use crate::domain::person::union::sides;
use crate::service::input::Problems;
use crate::service::{Context, Error, Result};
use crate::store::person_merge::{self, Merge};
use crate::store::{Tx, audit, evidence, person};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Why a merge was wrong.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReverseInput {
    pub reason: Option<String>,
}

/// Reverses a merge. Orders follow their identifiers; payable credit that was decided stays as it is. Reversed already:
/// nothing is done.
///
/// Errors: no such merge, no reason.
pub async fn reverse(tx: &mut Tx, context: &Context, id: MergeId, input: &ReverseInput) -> Result<Merge> {
    let mut p = Problems::default();
    let reason = p.line("/reason", &input.reason, 500);
    let reason = p.required("/reason", reason);
    let reason = p.all(reason)?;
    let merge = person_merge::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(format!("merge '{id}'")))?;
    if merge.reversed_at.is_some() {
        return Ok(merge);
    }
    let named: Vec<Identifier> = merge.identifiers.0.iter().map(|(kind, value)| Identifier::new(*kind, value.clone())).collect();
    let mut moved_rows = Vec::new();
    for named in named.chunks(100) {
        moved_rows.extend(person::stored(tx, named).await?);
    }
    let moved: BTreeSet<i64> = ids(&moved_rows).into_iter().collect();
    let mut around = Around::default();
    let persons = moved_rows.iter().map(|row| row.person_id).chain([merge.kept_person_id]);
    around.reach(&mut *tx, persons).await?;
    around.read_evidence(&mut *tx, &[]).await?;
    cut(tx, &mut around, &merge, &moved).await?;
    if person::of_persons(&mut *tx, &[merge.merged_person_id]).await?.is_empty() {
        around.spare = Some((moved, merge.merged_person_id));
    }
    let because = format!("{id} reversed");
    around.reckon_by_evidence(tx, context, &[], Cause { because: &because, evidence: None }).await?;
    person_merge::set_reversed(tx, id, &context.actor, &reason, context.at()).await?;
    let detail =
        json!({ "kept": merge.kept_person_id, "merged": merge.merged_person_id, "because": merge.because, "reason": reason });
    audit::record(tx, &context.actor, "person.reverse_merge", &id.to_string(), &detail, context.at()).await?;
    person_merge::by_id(tx, id).await?.ok_or_else(|| Error::not_found(format!("merge '{id}'")))
}

/// Cuts what joins the sides of a merge: evidence into parts, claims by refusing them.
async fn cut(tx: &mut Tx, around: &mut Around, merge: &Merge, moved: &BTreeSet<i64>) -> Result<()> {
    let is_claim = merge.evidence_id == Some(0);
    let cause = merge.evidence_id.unwrap_or(0);
    let others = |ids: Vec<i64>| ids.into_iter().filter(|id| !moved.contains(id)).collect::<BTreeSet<i64>>();
    let stayed = match merge.evidence_id {
        Some(_) => others(around.ties.iter().filter(|tie| tie.evidence == cause).map(|tie| tie.identifier).collect()),
        // Merged by an older version, which kept no evidence: whatever else there is.
        None => others(around.rows.keys().copied().collect()),
    };
    let before: Vec<_> = around.ties.iter().copied().filter(|tie| tie.evidence != cause).collect();
    let mut side = sides(&before, moved, &stayed);
    if is_claim {
        for row in around.rows.values().filter(|row| row.proved) {
            side.entry(row.id).or_insert(false);
        }
    }
    // Evidence that came after a claim may join what the claim did.
    if !is_claim {
        let mut parts: BTreeMap<(i64, i64), (bool, bool)> = BTreeMap::new();
        for tie in &around.ties {
            let both = parts.entry((tie.evidence, tie.part)).or_default();
            match side.get(&tie.identifier) {
                Some(true) => both.0 = true,
                Some(false) => both.1 = true,
                None => {}
            }
        }
        for tie in &mut around.ties {
            let crosses = parts.get(&(tie.evidence, tie.part)) == Some(&(true, true));
            if crosses && side.get(&tie.identifier) == Some(&true) {
                evidence::set_part(tx, *tie, merge.id.0).await?;
                tie.part = merge.id.0;
            }
        }
    }
    let side_of = |mut id: i64| -> bool {
        for _ in 0..4 {
            if let Some(side) = side.get(&id) {
                return *side;
            }
            match around.rows.get(&id).and_then(|row| row.said_id) {
                Some(said) => id = said,
                None => break,
            }
        }
        false
    };
    let mut refused = Vec::new();
    for row in around.rows.values() {
        if let Some(said) = row.said_id
            && !row.said_refused
            && side_of(row.id) != side_of(said)
        {
            refused.push(row.id);
        }
    }
    for id in refused {
        person::refuse_said(tx, id).await?;
        if let Some(row) = around.rows.get_mut(&id) {
            row.said_refused = true;
        }
    }
    Ok(())
}
