//! What repeats in touches stands once: texts (user agents, pages, referrers, languages) and origins (source, medium,
//! campaign, content, term). Entries are found by a hash, for texts may be longer than an index takes.

use super::touch::{Origin, TouchRow};
use super::{Reader, Result, Tx};
use crate::domain::touch::Touch;
use crate::run;
use chrono::NaiveDate;
use hashbrown::HashMap;
use sha2::{Digest, Sha256};
use sqlx::QueryBuilder;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Entries of either kind that are remembered at most; beyond that it starts anew.
const MOST_REMEMBERED: usize = 200_000;
const ROWS_A_STATEMENT: usize = 500;

/// Entries whose ids are known. One that learned in a transaction that failed must be thrown away.
#[derive(Debug, Default)]
pub struct Dictionary {
    texts: HashMap<String, i64>,
    origins: HashMap<String, i64>,
}

/// What stands before the query, and the query.
fn page_and_query(url: &str) -> (&str, Option<&str>) {
    match url.split_once('?') {
        Some((page, query)) => (page, Some(query)),
        None => (url, None),
    }
}

fn texts_of(touch: &Touch) -> [Option<&str>; 4] {
    [
        touch.url.as_deref().map(|url| page_and_query(url).0),
        touch.referrer.as_deref().map(|url| page_and_query(url).0),
        touch.user_agent.as_deref(),
        touch.language.as_deref(),
    ]
}

fn origin_of(touch: &Touch) -> Origin<'_> {
    Origin([&touch.source, &touch.medium, &touch.campaign, &touch.content, &touch.term].map(|field| field.as_deref()))
}

/// Source, medium, campaign, content and term of an origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct OriginTexts {
    pub id: i64,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub content: Option<String>,
    pub term: Option<String>,
}

/// Origins by id.
pub async fn origins<'a>(on: impl Into<Reader<'a>>, ids: &[i64]) -> Result<HashMap<i64, OriginTexts>> {
    let mut connection = on.into().connect().await?;
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(1_000) {
        let rows: Vec<OriginTexts> = run!(connection, |c| {
            let mut query = QueryBuilder::new("SELECT id, source, medium, campaign, content, term FROM origins WHERE id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(c).await
        })?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

impl Dictionary {
    /// Finds or makes the entries that `touches` need and that are not known yet.
    pub async fn learn(&mut self, tx: &mut Tx, touches: &[(Touch, NaiveDate)]) -> Result<()> {
        let (texts, origins) = self.unknown(touches);
        let texts: Vec<&str> = texts.into_iter().collect();
        for chunk in texts.chunks(ROWS_A_STATEMENT) {
            let entries: BTreeMap<Uuid, &str> = chunk.iter().map(|text| (hash(text), *text)).collect();
            let found: Vec<(Uuid, i64)> = run!(tx, |c| {
                let mut query = QueryBuilder::new("INSERT INTO texts (hash, text) ");
                query.push_values(&entries, |mut row, (hash, text)| {
                    row.push_bind(*hash).push_bind(*text);
                });
                query.push(" ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash RETURNING hash, id");
                query.build_query_as().fetch_all(c).await
            })?;
            self.texts.extend(found.into_iter().filter_map(|(hash, id)| Some(((*entries.get(&hash)?).to_owned(), id))));
        }
        self.learn_entries(tx, origins).await
    }

    /// Finds or makes the origins of `touches`, and nothing else.
    pub async fn learn_origins<'a>(&mut self, tx: &mut Tx, touches: impl Iterator<Item = &'a Touch>) -> Result<()> {
        let mut origins = BTreeMap::new();
        let mut key = String::new();
        for touch in touches {
            self.add_unknown_origin(touch, &mut key, &mut origins);
        }
        self.learn_entries(tx, origins).await
    }

    /// The id of a touch's origin, if it has one; `None` if it has to be learned first.
    pub fn origin_id(&self, touch: &Touch) -> Option<Option<i64>> {
        self.origin_id_by(touch, &mut String::new())
    }

    fn origin_id_by(&self, touch: &Touch, key: &mut String) -> Option<Option<i64>> {
        origin_of(touch).write_key(key);
        if key.is_empty() { Some(None) } else { Some(Some(*self.origins.get(key.as_str())?)) }
    }

    fn add_unknown_origin<'a>(&self, touch: &'a Touch, key: &mut String, unknown: &mut BTreeMap<String, Origin<'a>>) {
        let origin = origin_of(touch);
        origin.write_key(key);
        if !key.is_empty() && !self.origins.contains_key(key.as_str()) {
            unknown.insert(key.clone(), origin);
        }
    }

    async fn learn_entries(&mut self, tx: &mut Tx, origins: BTreeMap<String, Origin<'_>>) -> Result<()> {
        let origins: Vec<(String, Origin<'_>)> = origins.into_iter().collect();
        for chunk in origins.chunks(ROWS_A_STATEMENT) {
            let entries: BTreeMap<Uuid, &(String, Origin<'_>)> = chunk.iter().map(|entry| (hash(&entry.0), entry)).collect();
            let found: Vec<(Uuid, i64)> = run!(tx, |c| {
                let mut query = QueryBuilder::new("INSERT INTO origins (hash, source, medium, campaign, content, term) ");
                query.push_values(&entries, |mut row, (hash, (_, Origin(fields)))| {
                    row.push_bind(*hash);
                    for field in fields {
                        row.push_bind(*field);
                    }
                });
                query.push(" ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash RETURNING hash, id");
                query.build_query_as().fetch_all(c).await
            })?;
            self.origins.extend(found.into_iter().filter_map(|(hash, id)| Some((entries.get(&hash)?.0.clone(), id))));
        }
        Ok(())
    }

    fn unknown<'a>(
        &self,
        touches: &'a [(Touch, NaiveDate)],
    ) -> (std::collections::BTreeSet<&'a str>, BTreeMap<String, Origin<'a>>) {
        let mut texts = std::collections::BTreeSet::new();
        let mut origins = BTreeMap::new();
        let mut key = String::new();
        for (touch, _) in touches {
            texts.extend(texts_of(touch).into_iter().flatten().filter(|text| !self.texts.contains_key(*text)));
            self.add_unknown_origin(touch, &mut key, &mut origins);
        }
        (texts, origins)
    }

    /// The rows of touches; `None` if an entry of one has to be learned first.
    pub fn rows<'a>(&self, touches: &'a [(Touch, NaiveDate)]) -> Option<Vec<TouchRow<'a>>> {
        let mut key = String::new();
        touches.iter().map(|(touch, day)| self.row(touch, *day, &mut key)).collect()
    }

    fn row<'a>(&self, touch: &'a Touch, day: NaiveDate, key: &mut String) -> Option<TouchRow<'a>> {
        let mut ids = [None; 4];
        for (id, text) in ids.iter_mut().zip(texts_of(touch)) {
            *id = match text {
                Some(text) => Some(*self.texts.get(text)?),
                None => None,
            };
        }
        let [page_id, referrer_id, user_agent_id, language_id] = ids;
        let origin_id = self.origin_id_by(touch, key)?;
        let query = |url: &'a Option<String>| url.as_deref().and_then(|u| page_and_query(u).1);
        Some(TouchRow {
            touch,
            day,
            origin_id,
            page_id,
            query: query(&touch.url),
            referrer_id,
            referrer_query: query(&touch.referrer),
            user_agent_id,
            language_id,
        })
    }

    /// Starts anew when too much is remembered.
    pub fn tidy(&mut self) {
        if self.texts.len() > MOST_REMEMBERED || self.origins.len() > MOST_REMEMBERED {
            *self = Dictionary::default();
        }
    }
}

/// The first half of SHA-256.
fn hash(text: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    Uuid::from_bytes(bytes)
}
