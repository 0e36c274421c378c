//! Proves that persons as stored are those that their evidence makes. Page by page: what one page joins, none but its own
//! neighbourhood can part.

use super::doctor::Finding;
use super::stitch::Around;
use super::{Result, Tributary};
use crate::domain::id::PersonId;
use crate::store::{evidence, person};

/// Persons a page.
const PAGE: i64 = 2_000;

/// Every person's identifiers are joined by evidence and claims, none that these join are apart, customers are counted
/// right, and orders are their identifiers' person's.
pub async fn persons_follow_evidence(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let mut finding = Finding::of("persons are those that their evidence makes");
    let mut after = PersonId(0);
    loop {
        let page = person::page(db, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(finding) };
        after = *last;
        finding.checked += page.len() as u64;
        let mut around = Around::default();
        around.reach(db, page).await?;
        around.read_evidence(db, &[]).await?;
        for (group, stored) in around.differences() {
            finding.broken.push(format!("{group} should be one person, stored are {stored}"));
        }
        for (order, person) in around.misplaced_orders(db).await? {
            let person = person.map_or("nobody's".to_owned(), |person| format!("of {person}"));
            finding.broken.push(format!("{order} should be {person}"));
        }
        let ids: Vec<i64> = around.identifiers().map(|row| row.id).collect();
        let counts: std::collections::HashMap<i64, i64> = evidence::count_customers(db, &ids).await?.into_iter().collect();
        for row in around.identifiers() {
            let counted = counts.get(&row.id).copied().unwrap_or(0);
            if counted != row.customers {
                finding.broken.push(format!(
                    "identifier {} of {} is tied to {counted} customers, not {}",
                    row.id, row.person_id, row.customers
                ));
            }
        }
    }
}
