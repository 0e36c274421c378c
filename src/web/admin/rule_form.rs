//! The form of one channel rule: what was typed, checked as the service checks it, and tried before it is saved.

use super::tester::{Question, ResultView, tested};
use crate::domain::channel::{Channel, ChannelRule, ChannelRuleError, Comparison, RuleField};
use crate::service::catalog::version_of;
use crate::web::App;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, words};
use askama::Template;

/// Rows for conditions: empty ones beside those that are filled, and at most.
const EMPTY_ROWS: usize = 2;
const MOST_ROWS: usize = 20;

#[derive(Template)]
#[template(path = "admin/channel_rule.html")]
pub(super) struct RulePage {
    frame: Frame,
    here: &'static str,
    seen: String,
    problem: Option<String>,
    was: String,
    name: String,
    channels: Vec<(&'static str, String, bool)>,
    source: String,
    medium: String,
    rows: Vec<RowView>,
    may_have_more: bool,
    question: Question,
    result: Option<ResultView>,
}

struct RowView {
    number: usize,
    fields: Vec<(&'static str, String, bool)>,
    comparisons: Vec<(&'static str, String, bool)>,
    value: String,
}

impl RulePage {
    /// The form; a question is answered by the list with the rule in it, where the rule can be read.
    pub(super) fn of(
        app: &App,
        frame: Frame,
        rules: &[ChannelRule],
        typed: Typed,
        question: Question,
        problem: Option<String>,
    ) -> RulePage {
        let draft = typed.rule().map_or_else(|_| rules.to_vec(), |rule| typed.put_into(rules, rule));
        let result = tested(&app.links.snapshot(), &frame, &draft, &question);
        let channels = Channel::ALL.iter().map(|c| (c.name(), frame.t(words::channel(*c)), c.name() == typed.channel)).collect();
        let rows = typed.rows.iter().enumerate().map(|(index, row)| RowView {
            number: index + 1,
            fields: RuleField::ALL
                .iter()
                .map(|field| (field.name(), frame.t(words::rule_field(*field)), field.name() == row.field))
                .collect(),
            comparisons: Comparison::ALL
                .iter()
                .map(|is| (is.name(), frame.t(words::comparison(*is)), is.name() == row.is))
                .collect(),
            value: row.value.clone(),
        });
        RulePage {
            here: "rules",
            seen: version_of(rules),
            problem,
            rows: rows.collect(),
            may_have_more: typed.rows.len() < MOST_ROWS,
            channels,
            was: typed.was,
            name: typed.name,
            source: typed.source,
            medium: typed.medium,
            question,
            result,
            frame,
        }
    }

    /// The list that the form was made for.
    pub(super) fn seen(self, seen: &str) -> RulePage {
        RulePage { seen: seen.to_owned(), ..self }
    }
}

#[derive(Debug, Clone, Default)]
struct Row {
    field: String,
    is: String,
    value: String,
}

/// A rule as it was typed.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    /// The name of the rule that is changed; empty for a new one.
    pub(super) was: String,
    name: String,
    channel: String,
    source: String,
    medium: String,
    rows: Vec<Row>,
}

impl Default for Typed {
    fn default() -> Typed {
        let text = String::new;
        Typed {
            was: text(),
            name: text(),
            channel: text(),
            source: text(),
            medium: text(),
            rows: vec![Row::default(); EMPTY_ROWS],
        }
    }
}

impl Typed {
    pub(super) fn of_rule(rule: &ChannelRule) -> Typed {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let mut rows: Vec<Row> = rule
            .conditions()
            .iter()
            .map(|condition| Row {
                field: condition.field().name().to_owned(),
                is: condition.comparison().name().to_owned(),
                value: condition.value().to_owned(),
            })
            .collect();
        if rows.len() < MOST_ROWS {
            rows.push(Row::default());
        }
        Typed {
            was: rule.name().to_owned(),
            name: rule.name().to_owned(),
            channel: rule.channel().name().to_owned(),
            source: text(rule.source()),
            medium: text(rule.medium()),
            rows,
        }
    }

    pub(super) fn of_fields(fields: &Fields) -> Typed {
        let text = |name: &str| fields.get(name).to_owned();
        let rows = (1..=MOST_ROWS).take_while(|n| fields.is_ticked(&format!("value_{n}"))).map(|n| Row {
            field: text(&format!("field_{n}")),
            is: text(&format!("is_{n}")),
            value: text(&format!("value_{n}")),
        });
        let mut typed = Typed {
            was: text("rule"),
            name: text("name"),
            channel: text("channel"),
            source: text("source"),
            medium: text("medium"),
            rows: rows.collect(),
        };
        if typed.rows.is_empty() {
            typed.add_rows();
        }
        typed
    }

    pub(super) fn add_rows(&mut self) {
        self.rows.resize((self.rows.len() + EMPTY_ROWS).min(MOST_ROWS), Row::default());
    }

    /// The rows that hold something, each with its number on the page.
    fn filled_rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        (1..).zip(&self.rows).filter(|(_, row)| !row.field.is_empty() || !row.value.is_empty())
    }

    /// The rule, checked. Rows without a field and a value are left out.
    pub(super) fn rule(&self) -> Result<ChannelRule, ChannelRuleError> {
        let when: Vec<serde_json::Value> = self
            .filled_rows()
            .map(|(_, row)| serde_json::json!({ "field": row.field, "is": row.is, "value": row.value }))
            .collect();
        let written = serde_json::json!({
            "name": self.name, "when": when, "channel": self.channel, "source": self.source, "medium": self.medium,
        });
        written.to_string().parse()
    }

    /// The list with the rule in place of what it was; a new one comes last.
    pub(super) fn put_into(&self, rules: &[ChannelRule], rule: ChannelRule) -> Vec<ChannelRule> {
        let mut rules = rules.to_vec();
        match rules.iter().position(|known| known.name() == self.was) {
            Some(at) => rules[at] = rule,
            None => rules.push(rule),
        }
        rules
    }
}

/// Why a rule cannot be, in the reader's language.
pub(super) fn problem(frame: &Frame, typed: &Typed, error: &ChannelRuleError) -> String {
    let numbered = |key: &str, condition: &usize| {
        let number = typed.filled_rows().nth(condition.saturating_sub(1)).map_or(*condition, |(number, _)| number);
        frame.say(key, [("number", (number as i64).into())])
    };
    match error {
        ChannelRuleError::NoName => frame.t("rules-problem-name"),
        ChannelRuleError::NoConditions => frame.t("rules-problem-conditions"),
        ChannelRuleError::TooManyConditions | ChannelRuleError::TooLong => frame.t("rules-problem-long"),
        ChannelRuleError::NoValue(number) => numbered("rules-problem-value", number),
        ChannelRuleError::NeedlessValue(number) => numbered("rules-problem-needless", number),
        ChannelRuleError::Channel(_) => frame.t("rules-problem-channel"),
        ChannelRuleError::NotARule(_) => frame.t("rules-problem-field"),
    }
}
