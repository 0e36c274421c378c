use super::*;
use proptest::prelude::*;

/// `v1 c2 k3 e4 p5`: a visitor, a customer, a click, an e-mail, a phone.
fn identifiers(text: &str) -> Vec<Identifier> {
    let of = |word: &str| {
        let kind = match &word[..1] {
            "v" => IdentifierKind::Visitor,
            "c" => IdentifierKind::Customer,
            "k" => IdentifierKind::Click,
            "e" => IdentifierKind::Email,
            _ => IdentifierKind::Phone,
        };
        Identifier::new(kind, word)
    };
    text.split_whitespace().map(of).collect()
}

/// Lines `source: identifiers` of evidence, and `@minute: identifiers` of claims.
fn statements(lines: &[&str]) -> Vec<Statement> {
    let of = |line: &&str| {
        let (head, rest) = line.split_once(": ").unwrap();
        let identifiers = identifiers(rest);
        match head.strip_prefix('@') {
            None => Statement::Evidence { source: head.to_owned(), identifiers },
            Some(minute) => {
                let minute: i64 = minute.parse().unwrap();
                let at = DateTime::from_timestamp(minute * 60, 0).unwrap();
                Statement::Claim { at, hit: Uuid::from_u128(minute as u128), identifiers }
            }
        }
    };
    lines.iter().map(of).collect()
}

fn joined(lines: &[&str], most_customers: i64) -> Vec<String> {
    let text = |person: BTreeSet<Identifier>| person.into_iter().map(|i| i.value).collect::<Vec<_>>();
    let mut found: Vec<String> = persons(&statements(lines), most_customers)
        .into_iter()
        .map(|person| {
            let mut words = text(person);
            words.sort();
            words.join(" ")
        })
        .collect();
    found.sort();
    found
}

#[test]
fn evidence_joins_by_union() {
    assert_eq!(joined(&["a: v1 c1", "b: c1 e1", "c: e1 v2", "d: v3 c3"], 5), ["c1 e1 v1 v2", "c3 v3"]);
}

#[test]
fn an_identifier_tied_to_too_many_customers_joins_nothing() {
    let kiosk = ["a: v1 c1 e1", "b: v1 c2 e2", "c: v1 c3 e3"];
    assert_eq!(joined(&kiosk, 3), ["c1 c2 c3 e1 e2 e3 v1"]);
    assert_eq!(joined(&kiosk, 2), ["c1 e1", "c2 e2", "c3 e3"]);
    let guests = ["a: v1 e1", "b: v1 e2 p2", "c: v1 p3"];
    assert_eq!(joined(&guests, 2), ["e2 p2"]);
    let one_customer_of_many_addresses = ["a: v1 c1 e1", "b: v1 c1 e2", "c: v1 c1 e3", "d: v1 c1 e4"];
    assert_eq!(joined(&one_customer_of_many_addresses, 2), ["c1 e1 e2 e3 e4 v1"]);
    // An order that is sent again with its customer counts for that customer.
    assert_eq!(joined(&["a: v1 e1", "a: v1 c1 e1", "b: v1 c1", "c: v1 c2"], 2), ["c1 c2 e1 v1"]);
}

#[test]
fn claims_attach_and_never_join_what_is_known_apart() {
    for (lines, expected) in [
        (&["@1: v1 c1", "a: c1 e1"][..], &["c1 e1 v1"][..]),
        (&["a: v1 e1", "@1: v1 c1", "b: c1"], &["e1 v1"]),
        (&["a: v1 e1", "@1: v1 c1", "@2: v2 c1"], &["c1 e1 v1 v2"]),
        (&["a: v1 c1", "b: c2", "@1: v1 c2"], &["c1 v1"]),
        // One customer for each visitor: the first it says.
        (&["@2: v1 c2", "@1: v1 c1"], &["c1 v1"]),
        // A person with a customer gets no second.
        (&["a: v1 c1", "@1: v1 c2", "@2: v2 c2"], &["c1 v1", "c2 v2"]),
        // Two visitors of a guest say two customers: the first is believed.
        (&["a: v1 v2 e1", "@1: v1 c1", "@2: v2 c2"], &["c1 e1 v1 v2"]),
        // A click belongs to the first browser that showed it.
        (&["@2: v2 k1", "@1: v1 k1"], &["k1 v1"]),
        (&["a: k1 e1", "@2: v2 k1", "@1: v1 k1"], &["e1 k1 v1"]),
        // By its click a browser brings the customer that it says, if the order names none.
        (&["a: k1 e1", "@1: v1 k1", "@2: v1 c1"], &["c1 e1 k1 v1"]),
        (&["a: k1 c2", "@1: v1 k1", "@2: v1 c1"], &["c1 v1", "c2 k1"]),
        // What is shared is not followed.
        (&["a: v1 c1", "b: v1 c2", "c: v1 c3", "@1: v1 k9"], &[]),
    ] {
        assert_eq!(joined(lines, 2), expected, "{lines:?}");
    }
}

#[test]
fn a_reversal_finds_the_sides_again() {
    let tie = |evidence, identifier| Tie { evidence, part: 0, identifier };
    // 1: {10 11}, 2: {20 21}, then 3 joined 11 and 20; 4 came later to the moved side, 5 to the other.
    let ties =
        [tie(1, 10), tie(1, 11), tie(2, 20), tie(2, 21), tie(3, 11), tie(3, 20), tie(4, 21), tie(4, 22), tie(5, 10), tie(5, 12)];
    let side = sides(&ties, &BTreeSet::from([20, 21]), &BTreeSet::from([11]));
    let mut moved: Vec<i64> = side.iter().filter(|(_, moved)| **moved).map(|(id, _)| *id).collect();
    moved.sort_unstable();
    assert_eq!((moved, side.len()), (vec![20, 21, 22], 6));
}

fn statement() -> impl Strategy<Value = Statement> {
    let one = |letter: &'static str, most: u8| (0..most).prop_map(move |n| format!("{letter}{n}"));
    let some = |letter: &'static str, most: u8| prop::option::weighted(0.5, one(letter, most));
    let words = |parts: Vec<Option<String>>| identifiers(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
    prop_oneof![
        (0..12u8, some("v", 4), some("c", 6), some("e", 4), some("p", 3), some("k", 4)).prop_map(
            move |(source, v, c, e, p, k)| {
                Statement::Evidence { source: format!("order {source}"), identifiers: words(vec![v, c, e, p, k]) }
            }
        ),
        (0..40i64, some("v", 6), some("c", 8), some("k", 6)).prop_map(move |(minute, v, c, k)| {
            // One hit says one thing: its id is made of what it says.
            let identifiers = words(vec![v, c, k]);
            let text = identifiers.iter().map(|i| i.value.as_str()).collect::<String>();
            let hit = Uuid::from_u128(text.bytes().fold(minute as u128, |sum, byte| sum * 257 + u128::from(byte)));
            Statement::Claim { at: DateTime::from_timestamp(minute * 60, 0).unwrap(), hit, identifiers }
        }),
    ]
}

proptest! {
    #[test]
    fn persons_do_not_depend_on_the_order_of_arrival(
        (statements, shuffled) in prop::collection::vec(statement(), 1..24).prop_flat_map(|statements| {
            let twice = [statements.clone(), statements.clone()].concat();
            (Just(statements), Just(twice).prop_shuffle())
        }),
        most in 1..4i64,
    ) {
        prop_assert_eq!(persons(&statements, most), persons(&shuffled, most));
    }

    #[test]
    fn claims_leave_what_evidence_joined_and_parted(statements in prop::collection::vec(statement(), 1..24), most in 1..4i64) {
        let evidence: Vec<Statement> =
            statements.iter().filter(|s| matches!(s, Statement::Evidence { .. })).cloned().collect();
        let proved: BTreeSet<&Identifier> = evidence
            .iter()
            .flat_map(|s| match s { Statement::Evidence { identifiers, .. } => identifiers.as_slice(), _ => &[] })
            .collect();
        let of_proved: BTreeSet<BTreeSet<Identifier>> = persons(&statements, most)
            .into_iter()
            .map(|person| person.into_iter().filter(|i| proved.contains(i)).collect::<BTreeSet<_>>())
            .filter(|person| person.len() > 1)
            .collect();
        prop_assert_eq!(of_proved, persons(&evidence, most));
    }
}
