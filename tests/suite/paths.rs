//! `tributary paths` as an analyst uses it: a file in, figures out, no server.

use crate::support::*;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;

/// Runs `paths` over a file of this text: exit code, standard output, standard error, the file's name.
fn paths(text: &str, arguments: &[&str]) -> (i32, String, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("journeys.csv").display().to_string();
    fs::write(&name, text).unwrap();
    let (code, out, errors) = run(&[&["paths", &name], arguments].concat(), "");
    (code, out, errors, name)
}

fn answer(text: &str, arguments: &[&str]) -> Value {
    let (code, out, errors, _) = paths(text, &[arguments, &["--format", "json"]].concat());
    assert_eq!(code, 0, "{errors}");
    serde_json::from_str(&out).unwrap()
}

fn fraction(text: &str) -> f64 {
    match text.split_once('/') {
        Some((numerator, denominator)) => numerator.parse::<f64>().unwrap() / denominator.parse::<f64>().unwrap(),
        None => text.parse().unwrap(),
    }
}

fn of_channel<'a>(rows: &'a Value, channel: &str) -> &'a Value {
    rows.as_array().unwrap().iter().find(|row| row["channel"] == channel).unwrap()
}

/// The cases have exact fractions, worked out by hand (CC0).
#[test]
fn models_over_path_files_agree_with_exact_fractions() {
    let cases: Value = serde_json::from_str(include_str!("../data/micro_cases.json")).unwrap();
    let mut compared = 0;
    for (name, case) in cases.as_object().unwrap() {
        let mut text = "path;total_conversions;total_conversion_value;total_null\n".to_owned();
        for row in case["paths"].as_array().unwrap() {
            let path = row["path"].as_str().unwrap();
            writeln!(text, "{path};{};{};{}", row["conversions"], row["value"], row["null"]).unwrap();
        }
        let answer = answer(&text, &["--removal-effects"]);
        let mut check = |rows: &Value, figure: &str, expected: &Value| {
            for (channel, expected) in expected.as_object().unwrap() {
                let exact = expected["exact"].as_str().unwrap();
                let got = of_channel(rows, channel)[figure].as_f64().unwrap();
                let expected = fraction(exact);
                assert!((got - expected).abs() <= 1e-12 * expected, "{name} {channel} {figure}: {got} is not {exact}");
                compared += 1;
            }
        };
        for (theirs, ours) in
            [("first", "first_click"), ("last", "last_click"), ("linear", "linear"), ("markov_order1", "markov")]
        {
            for figure in ["conversions", "value"] {
                check(&answer["models"][ours], figure, &case[theirs][figure]);
            }
        }
        for (figure, theirs) in [("conversions", "removal_effect"), ("value", "removal_effect_value")] {
            check(&answer["removal_effects"], figure, &case["markov_order1"][theirs]);
        }
    }
    assert_eq!(compared, 170, "credits and effects were compared");
}

const SHOP: &str = "path,conversions,value,null
search > email > search,2,240.00,1
direct > search,1,99.90,0
email,0,0,4
social > direct,1,15,2
";

#[test]
fn every_model_is_in_the_answer_and_none_loses_a_conversion() {
    for arguments in [&[][..], &["--order", "3"], &["--direct", "direct"], &["--half-life", "0.5"]] {
        let answer = answer(SHOP, arguments);
        let models = answer["models"].as_object().unwrap();
        assert_eq!(models.len(), 10, "{models:?}");
        for (model, rows) in models {
            let sum = |figure: &str| rows.as_array().unwrap().iter().map(|row| row[figure].as_f64().unwrap()).sum::<f64>();
            assert_eq!(rows.as_array().unwrap().len(), 4, "{model}");
            assert!((sum("conversions") - 4.0).abs() < 1e-12 && (sum("value") - 354.9).abs() < 1e-9, "{model}: {rows}");
        }
    }
}

#[test]
fn a_direct_channel_has_credit_only_where_nothing_else_is_there_but_for_last_click() {
    let answer = answer(&format!("{SHOP}direct,3,30,0\n"), &["--direct", "direct"]);
    for (model, rows) in answer["models"].as_object().unwrap() {
        let conversions = of_channel(rows, "direct")["conversions"].as_f64().unwrap();
        match model.as_str() {
            "last_click" => assert_eq!(conversions, 4.0),
            "markov" | "shapley_rate" => assert!(conversions > 0.0, "{model}"),
            _ => assert!((conversions - 3.0).abs() < 1e-12, "{model}: {conversions}"),
        }
    }
    let (code, _, errors, _) = paths(SHOP, &["--direct", "Direct"]);
    assert_eq!((code, errors.as_str()), (0, "note: no step of the file is 'Direct'\n"));
}

#[test]
fn the_models_asked_for_come_in_the_order_asked() {
    let answer = answer(SHOP, &["--models", "shapley,custom:50/0/50,linear,shapley"]);
    let names: Vec<&str> = answer["models"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["shapley", "custom:50/0/50", "linear"]);
    assert_eq!(of_channel(&answer["models"]["custom:50/0/50"], "email")["conversions"], 0.0);
}

#[test]
fn tables_and_csv_show_the_same_rows() {
    let arguments = ["--models", "last_click,markov", "--removal-effects", "--transitions", "--order", "2"];
    let (code, table, errors, _) = paths(SHOP, &arguments);
    assert_eq!(code, 0, "{errors}");
    let (_, csv, _, _) = paths(SHOP, &[&arguments[..], &["--format", "csv"]].concat());
    insta::assert_snapshot!("paths_as_table", table);
    // The last digits are rounding's.
    insta::with_settings!({ filters => vec![(r"(\.\d{9})\d+", "$1")] }, {
        insta::assert_snapshot!("paths_as_csv", csv);
    });
}

#[test]
fn standard_input_is_read_as_a_file_is() {
    let (code, out, _) = run(&["paths", "-", "--models", "linear", "--format", "json"], SHOP);
    let from_file = answer(SHOP, &["--models", "linear"]);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (0, from_file));
}

#[test]
fn a_wrong_file_is_named_by_line_and_column_and_prints_nothing() {
    let mut long = "path,conversions\n".to_owned();
    for line in 2..=900_000 {
        long += if line == 900_000 { "a>b,-1\n" } else { "a>b,1\n" };
    }
    for (text, fault) in [
        ("path,conversions\na > > b,1\n", "2: path: has an empty step"),
        ("path,conversions\na,1\n\na > b,-2\n", "4: conversions: '-2' is not a number from 0 up"),
        ("path,conversions,null\na,1\n", "2: row: has 2 cells, the head has 3"),
        ("path;conversions\na;1,5\n", "2: conversions: '1,5' is not a number from 0 up"),
        ("path\na\n", "1: conversions: this column is missing"),
        ("", "1: path: this column is missing"),
        (long.as_str(), "900000: conversions: '-1' is not a number from 0 up"),
    ] {
        let (code, out, errors, name) = paths(text, &["--models", "last_click"]);
        assert_eq!((code, out.as_str(), errors.as_str()), (1, "", format!("{name}:{fault}\n").as_str()));
    }
    let (code, out, errors) = run(&["paths", "/nowhere/journeys.csv"], "");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(errors.contains("/nowhere/journeys.csv"), "{errors}");
}

#[test]
fn zeros_in_zeros_out() {
    for text in ["path,conversions,value,null\na > b,0,0,7\nb,0,0,0\n", "path,conversions\na > b,0\nb,0\n"] {
        for (model, rows) in answer(text, &["--order", "4"])["models"].as_object().unwrap() {
            for row in rows.as_array().unwrap() {
                assert_eq!((&row["conversions"], &row["value"]), (&0.0.into(), &0.0.into()), "{model}: {row}");
            }
        }
    }
    let empty = answer("path,conversions\n", &[]);
    assert!(empty["models"].as_object().unwrap().values().all(|rows| rows.as_array().unwrap().is_empty()), "{empty}");
}

#[test]
fn shapley_rate_is_left_out_with_a_note_above_twenty_channels_and_refused_if_asked_for() {
    let text: String = (0..21).map(|channel| format!("c{channel},1,2,3\n")).collect();
    let text = format!("path,conversions,value,null\n{text}");
    let (code, out, errors, _) = paths(&text, &["--format", "json"]);
    let reason = "shapley_rate is left out: there are 21 channels; shapley_rate is exact for 20 at most";
    assert_eq!((code, errors), (0, format!("note: {reason}\n")));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["models"].as_object().unwrap().len(), 9);
    let (code, out, errors, _) = paths(&text, &["--models", "linear,shapley_rate"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(errors.contains("there are 21 channels"), "{errors}");
}

#[test]
fn wrong_usage_is_told_before_the_file_is_read() {
    for (arguments, hint) in [
        (["--order", "5"], "1, 2, 3 or 4"),
        (["--order", "0"], "1, 2, 3 or 4"),
        (["--half-life", "0"], "above zero"),
        (["--half-life", "nan"], "above zero"),
        (["--models", "u_shaped"], "there are last_click"),
        (["--models", "custom:40/40/40"], "add up to 100"),
        (["--format", "xlsx"], "possible values"),
    ] {
        let (code, out, errors) = run(&[&["paths", "/nowhere.csv"], &arguments[..]].concat(), "");
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(errors.contains(hint), "{arguments:?}: {errors}");
    }
}
