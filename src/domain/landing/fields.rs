//! A handful of named texts, in the order they came. A JSON object when written out.

use serde::ser::SerializeMap;
use std::borrow::Cow;

/// Named texts, each name once. Few enough that looking through them is quicker than a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields<'a>(Vec<(&'static str, Cow<'a, str>)>);

impl<'a> Fields<'a> {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, &**value))
    }

    /// Adds a text unless its name is taken: the first of doubled ones counts.
    pub fn add(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        if !self.contains(name) {
            self.0.push((name, value.into()));
        }
    }

    /// Adds what is missing here from `others`.
    pub fn fill_from(&mut self, others: Fields<'a>) {
        for (name, value) in others.0 {
            self.add(name, value);
        }
    }
}

impl serde::Serialize for Fields<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
