//! The merchant's own channel rules: conditions on what a touch came with, and what it becomes when all of them hold.
//! They are asked first, in their order.

use super::{Channel, UnknownChannel};
use crate::domain::landing::folded;
use serde::{Deserialize, Serialize};

/// What a condition looks at. All texts are compared as reports group them: trimmed, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleField {
    Source,
    Medium,
    Campaign,
    Content,
    Term,
    /// Without `www.`.
    ReferrerHost,
    /// Without `www.`.
    LandingHost,
    LandingPath,
    /// The name of a click id's parameter, any that is there.
    ClickId,
}

impl RuleField {
    pub const ALL: &'static [RuleField] = &[
        RuleField::Source,
        RuleField::Medium,
        RuleField::Campaign,
        RuleField::Content,
        RuleField::Term,
        RuleField::ReferrerHost,
        RuleField::LandingHost,
        RuleField::LandingPath,
        RuleField::ClickId,
    ];

    /// As it is written in a rule.
    pub fn name(self) -> &'static str {
        match self {
            RuleField::Source => "source",
            RuleField::Medium => "medium",
            RuleField::Campaign => "campaign",
            RuleField::Content => "content",
            RuleField::Term => "term",
            RuleField::ReferrerHost => "referrer_host",
            RuleField::LandingHost => "landing_host",
            RuleField::LandingPath => "landing_path",
            RuleField::ClickId => "click_id",
        }
    }
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    /// `*` stands for any text, `?` for any one character.
    Like,
    Present,
    Absent,
}

impl Comparison {
    pub const ALL: &'static [Comparison] = &[
        Comparison::Equals,
        Comparison::Contains,
        Comparison::StartsWith,
        Comparison::EndsWith,
        Comparison::Like,
        Comparison::Present,
        Comparison::Absent,
    ];

    /// As it is written in a rule.
    pub fn name(self) -> &'static str {
        match self {
            Comparison::Equals => "equals",
            Comparison::Contains => "contains",
            Comparison::StartsWith => "starts_with",
            Comparison::EndsWith => "ends_with",
            Comparison::Like => "like",
            Comparison::Present => "present",
            Comparison::Absent => "absent",
        }
    }
}

/// One condition; all of a rule's must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    field: RuleField,
    is: Comparison,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    value: String,
}

/// A rule of the merchant's. As JSON:
/// `{"name": "Blog", "when": [{"field": "referrer_host", "is": "equals", "value": "blog.example"}], "channel": "referral"}`,
/// with `source` and `medium` where those are to be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct ChannelRule {
    name: String,
    when: Vec<Condition>,
    channel: Channel,
    source: Option<String>,
    medium: Option<String>,
}

/// A rule as it is written, not yet checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    when: Vec<Condition>,
    channel: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    medium: Option<String>,
}

/// The most conditions of one rule.
const MOST_CONDITIONS: usize = 20;
/// The longest text in a rule, in characters.
const LONGEST_TEXT: usize = 200;

/// Why a rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelRuleError {
    #[error("a rule needs a name")]
    NoName,
    #[error("a rule needs a condition; one without any would take every touch")]
    NoConditions,
    #[error("a rule has at most {MOST_CONDITIONS} conditions")]
    TooManyConditions,
    #[error("condition {0} needs a value to compare with")]
    NoValue(usize),
    #[error("condition {0} asks whether something is there and takes no value")]
    NeedlessValue(usize),
    #[error("a text in a rule has at most {LONGEST_TEXT} characters")]
    TooLong,
    #[error(transparent)]
    Channel(#[from] UnknownChannel),
    #[error("is no channel rule: {0}")]
    NotARule(String),
}

/// What conditions look at, in lower case.
#[derive(Debug, Clone, Copy)]
pub struct RuleSubject<'a> {
    pub source: Option<&'a str>,
    pub medium: Option<&'a str>,
    pub campaign: Option<&'a str>,
    pub content: Option<&'a str>,
    pub term: Option<&'a str>,
    pub referrer_host: Option<&'a str>,
    pub landing_host: Option<&'a str>,
    pub landing_path: Option<&'a str>,
    /// Parameters of the click ids.
    pub click_ids: &'a [&'static str],
}

impl ChannelRule {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// What `source` becomes; `None`: it stays.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// What `medium` becomes; `None`: it stays.
    pub fn medium(&self) -> Option<&str> {
        self.medium.as_deref()
    }

    /// What must hold, all of it.
    pub fn conditions(&self) -> &[Condition] {
        &self.when
    }

    /// Whether all conditions hold.
    pub fn holds(&self, subject: &RuleSubject<'_>) -> bool {
        self.when.iter().all(|condition| condition.holds(subject))
    }
}

impl Condition {
    pub fn field(&self) -> RuleField {
        self.field
    }

    pub fn comparison(&self) -> Comparison {
        self.is
    }

    /// In lower case; empty where the comparison takes none.
    pub fn value(&self) -> &str {
        &self.value
    }

    fn holds(&self, subject: &RuleSubject<'_>) -> bool {
        let text = match self.field {
            RuleField::Source => subject.source,
            RuleField::Medium => subject.medium,
            RuleField::Campaign => subject.campaign,
            RuleField::Content => subject.content,
            RuleField::Term => subject.term,
            RuleField::ReferrerHost => subject.referrer_host,
            RuleField::LandingHost => subject.landing_host,
            RuleField::LandingPath => subject.landing_path,
            RuleField::ClickId => {
                return match self.is {
                    Comparison::Present => !subject.click_ids.is_empty(),
                    Comparison::Absent => subject.click_ids.is_empty(),
                    _ => subject.click_ids.iter().any(|name| self.fits(&name.to_ascii_lowercase())),
                };
            }
        };
        match (self.is, text.filter(|text| !text.is_empty())) {
            (Comparison::Present, text) => text.is_some(),
            (Comparison::Absent, text) => text.is_none(),
            (_, text) => text.is_some_and(|text| self.fits(&folded(text))),
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self.is {
            Comparison::Equals => text == self.value,
            Comparison::Contains => text.contains(&self.value),
            Comparison::StartsWith => text.starts_with(&self.value),
            Comparison::EndsWith => text.ends_with(&self.value),
            Comparison::Like => is_like(text, &self.value),
            Comparison::Present => !text.is_empty(),
            Comparison::Absent => text.is_empty(),
        }
    }
}

/// Whether the whole of `text` fits a pattern with `*` and `?`. Time: at most length times length.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    // Where the last `*` stands, and how much of the text it takes so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl TryFrom<Draft> for ChannelRule {
    type Error = ChannelRuleError;

    fn try_from(draft: Draft) -> Result<ChannelRule, ChannelRuleError> {
        let fold = |text: String| folded(&text).into_owned();
        let name = draft.name.trim().to_owned();
        if name.is_empty() {
            return Err(ChannelRuleError::NoName);
        }
        if draft.when.is_empty() {
            return Err(ChannelRuleError::NoConditions);
        }
        if draft.when.len() > MOST_CONDITIONS {
            return Err(ChannelRuleError::TooManyConditions);
        }
        let mut when = Vec::with_capacity(draft.when.len());
        for (index, condition) in draft.when.into_iter().enumerate() {
            let mut value = fold(condition.value);
            if matches!(condition.field, RuleField::ReferrerHost | RuleField::LandingHost)
                && let Some(bare) = value.strip_prefix("www.")
            {
                value = bare.to_owned();
            }
            match (condition.is, value.is_empty()) {
                (Comparison::Present | Comparison::Absent, false) => return Err(ChannelRuleError::NeedlessValue(index + 1)),
                (Comparison::Present | Comparison::Absent, true) => {}
                (_, true) => return Err(ChannelRuleError::NoValue(index + 1)),
                (_, false) => {}
            }
            when.push(Condition { value, ..condition });
        }
        let source = draft.source.map(fold).filter(|source| !source.is_empty());
        let medium = draft.medium.map(fold).filter(|medium| !medium.is_empty());
        let is_long = |text: &String| text.chars().count() > LONGEST_TEXT;
        if when.iter().any(|condition| is_long(&condition.value))
            || [&name].into_iter().chain(&source).chain(&medium).any(is_long)
        {
            return Err(ChannelRuleError::TooLong);
        }
        Ok(ChannelRule { name, when, channel: draft.channel.parse()?, source, medium })
    }
}

impl From<ChannelRule> for Draft {
    fn from(rule: ChannelRule) -> Draft {
        let ChannelRule { name, when, channel, source, medium } = rule;
        Draft { name, when, channel: channel.name().to_owned(), source, medium }
    }
}

impl std::str::FromStr for ChannelRule {
    type Err = ChannelRuleError;

    /// Reads JSON.
    fn from_str(text: &str) -> Result<ChannelRule, ChannelRuleError> {
        let draft: Draft = serde_json::from_str(text).map_err(|error| ChannelRuleError::NotARule(error.to_string()))?;
        draft.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: RuleSubject<'_> = RuleSubject {
        source: None,
        medium: None,
        campaign: None,
        content: None,
        term: None,
        referrer_host: None,
        landing_host: None,
        landing_path: None,
        click_ids: &[],
    };

    fn rule(when: &str) -> Result<ChannelRule, ChannelRuleError> {
        format!(r#"{{"name": "r", "when": {when}, "channel": "email"}}"#).parse()
    }

    #[test]
    fn conditions_compare_as_they_say() {
        let subject = RuleSubject {
            source: Some("dzen"),
            medium: Some("article"),
            campaign: Some("весна 2026"),
            referrer_host: Some("blog.example"),
            landing_path: Some("/Sale/shoes"),
            click_ids: &["yclid"],
            ..NOTHING
        };
        for (when, expected) in [
            (r#"[{"field": "source", "is": "equals", "value": " DZEN "}]"#, true),
            (r#"[{"field": "source", "is": "equals", "value": "dze"}]"#, false),
            (r#"[{"field": "campaign", "is": "contains", "value": "2026"}]"#, true),
            (r#"[{"field": "campaign", "is": "starts_with", "value": "Весна"}]"#, true),
            (r#"[{"field": "campaign", "is": "ends_with", "value": "весна"}]"#, false),
            (r#"[{"field": "landing_path", "is": "like", "value": "/sale/*"}]"#, true),
            (r#"[{"field": "landing_path", "is": "like", "value": "*sho?s"}]"#, true),
            (r#"[{"field": "landing_path", "is": "like", "value": "sale"}]"#, false),
            (r#"[{"field": "referrer_host", "is": "equals", "value": "www.blog.example"}]"#, true),
            (r#"[{"field": "click_id", "is": "equals", "value": "YCLID"}]"#, true),
            (r#"[{"field": "click_id", "is": "absent"}]"#, false),
            (r#"[{"field": "term", "is": "absent"}, {"field": "medium", "is": "present"}]"#, true),
            (r#"[{"field": "term", "is": "absent"}, {"field": "medium", "is": "absent"}]"#, false),
            (r#"[{"field": "content", "is": "like", "value": "*"}]"#, false),
        ] {
            assert_eq!(rule(when).unwrap().holds(&subject), expected, "{when}");
        }
    }

    #[test]
    fn names_are_as_they_are_written() {
        for field in RuleField::ALL {
            assert_eq!(serde_json::to_value(field).unwrap(), field.name());
        }
        for comparison in Comparison::ALL {
            assert_eq!(serde_json::to_value(comparison).unwrap(), comparison.name());
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (when, expected) in [
            ("[]", ChannelRuleError::NoConditions),
            (r#"[{"field": "source", "is": "equals"}]"#, ChannelRuleError::NoValue(1)),
            (r#"[{"field": "source", "is": "present", "value": "x"}]"#, ChannelRuleError::NeedlessValue(1)),
        ] {
            assert_eq!(rule(when).unwrap_err(), expected, "{when}");
        }
        let one = r#"[{"field": "source", "is": "present"}]"#;
        for (text, part) in [
            (format!(r#"{{"name": " ", "when": {one}, "channel": "email"}}"#), "needs a name"),
            (format!(r#"{{"name": "r", "when": {one}, "channel": "letter"}}"#), "'letter' is not a channel"),
            (format!(r#"{{"name": "r", "when": {one}, "channel": "email", "rank": 1}}"#), "unknown field"),
            ("[".to_owned(), "no channel rule"),
        ] {
            let error = text.parse::<ChannelRule>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_rule_outlives_being_written_and_read() {
        let rule: ChannelRule =
            r#"{"name":"Dzen","when":[{"field":"source","is":"equals","value":"dzen"},{"field":"term","is":"absent"}],"channel":"organic_social","medium":"article"}"#
                .parse()
                .unwrap();
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(text.parse::<ChannelRule>().unwrap(), rule);
    }

    proptest::proptest! {
        #[test]
        fn a_pattern_without_stars_is_like_itself_alone(text in "[a-c]{0,8}", other in "[a-c]{0,8}") {
            proptest::prop_assert_eq!(is_like(&text, &other), text == other);
            let starred = format!("*{}*", other);
            proptest::prop_assert_eq!(is_like(&text, &starred), text.contains(&other));
        }
    }
}
