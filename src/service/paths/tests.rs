use super::*;
use crate::domain::attribution::{Model, Order};
use std::io::Write;

fn asked() -> Asked {
    Asked { models: Model::ALL.to_vec(), order: Order::new(2).unwrap(), ..Asked::default() }
}

fn on_disk(text: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    file
}

/// The credit of a model by channel, sorted.
fn conversions(summed: &Summed, model: Model) -> Vec<(String, f64)> {
    let removal = summed.sums.removal_effects().map(Result::unwrap);
    let credits = summed.sums.credits(removal.as_ref());
    let (_, credits) = credits.into_iter().find(|(m, _)| *m == model).unwrap();
    let mut named: Vec<_> = summed.channels.iter().cloned().zip(credits.unwrap().iter().map(|c| c.conversions)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

fn both_ways(text: &[u8]) -> (Result<Summed, String>, Result<Summed, String>) {
    let told = |e: PathError| e.to_string();
    (sum_file(&on_disk(text), &asked(), None).map_err(told), sum_stream(text, &asked(), None).map_err(told))
}

#[test]
fn all_ways_to_write_the_same_rows_mean_the_same() {
    let mut big = "path,conversions,value,null\n".to_owned();
    big += &format!("{},0,0,1\n", "a>".repeat(200_000) + "a");
    let expected = vec![("a".to_owned(), 2.0), ("b b".to_owned(), 1.0)];
    for text in [
        "path,conversions,value,null\na > b b,2,1.5,0\na,1,2,3\n",
        "path,conversions,value,null\r\na>b b,2,1.5,0\r\na,1,2,3\r\n",
        "\u{feff}path;total_conversions;total_conversion_value;total_null\na > b b;2;1.5;0\na;1;2;3",
        "null,other,VALUE,conversions,path\n0,\"x, y\",1.5,2,a > b b\n\n3,,2,1, a\n",
        "\"path\",\"total_conversions\"\n\"a > b b\",2\n\"a\",\"1\"\n",
        "path,conversions,note\na > b b,2,\"two\nlines, and \"\"quotes\"\"\"\na,1,\n",
        "path,conversions\na > b b,2.0\na,1e0\na,0\n",
    ] {
        let (file, stream) = both_ways(text.as_bytes());
        assert_eq!(conversions(&file.unwrap(), Model::Linear), expected, "{text}");
        assert_eq!(conversions(&stream.unwrap(), Model::Linear), expected, "{text}");
    }
    let (file, _) = both_ways(big.as_bytes());
    assert_eq!(conversions(&file.unwrap(), Model::Linear), [("a".to_owned(), 0.0)], "a line longer than a block");
}

#[test]
fn what_is_wrong_is_told_by_line_and_column_either_way() {
    for (text, fault) in [
        ("", "1: path: this column is missing"),
        ("way,conversions\n", "1: path: this column is missing"),
        ("path,value\n", "1: conversions: this column is missing"),
        ("path,conversions,total_conversions\n", "1: total_conversions: there are two such columns"),
        ("path,conversions\na > > b,1\n", "2: path: has an empty step"),
        ("path,conversions\na,1\n,1\n", "3: path: has an empty step"),
        ("path,conversions\na >,1\n", "2: path: has an empty step"),
        ("path,conversions\na,-1\n", "2: conversions: '-1' is not a number from 0 up"),
        ("path;total_conversions\na;NaN\n", "2: total_conversions: 'NaN' is not a number from 0 up"),
        ("path,conversions\na,inf\n", "2: conversions: 'inf' is more than 10^15"),
        ("path,conversions\na,\n", "2: conversions: is empty"),
        ("path,conversions,value\na,1,x\n", "2: value: 'x' is not a number from 0 up"),
        ("path,conversions,null\na,1,-0.5\n", "2: null: '-0.5' is not a number from 0 up"),
        ("path,conversions,value\na,1,2e15\n", "2: value: '2e15' is more than 10^15"),
        ("path,conversions,value\na,1\n", "2: row: has 2 cells, the head has 3"),
        ("path,conversions\na,1,2,3\n", "2: row: has 4 cells, the head has 2"),
        ("path,conversions,note\na,1,\"two\nlines\"\na,x,\n", "4: conversions: 'x' is not a number from 0 up"),
    ] {
        let (file, stream) = both_ways(text.as_bytes());
        assert_eq!(file.unwrap_err(), fault, "{text}");
        assert_eq!(stream.unwrap_err(), fault, "{text}");
    }
    let (file, stream) = both_ways(b"path,conversions\na > \xff,1\n");
    assert_eq!(
        (file.unwrap_err(), stream.unwrap_err()),
        ("2: path: is no UTF-8 text".into(), "2: path: is no UTF-8 text".into())
    );
    let (file, _) = both_ways(b"path,conversions\n");
    assert!(file.unwrap().channels.is_empty());
}

/// Enough rows for several parts, a broken one among them if asked.
fn many_rows(broken: Option<usize>) -> String {
    let mut text = "path,conversions,value,null\n".to_owned();
    for row in 0..100_000usize {
        let step = |n: usize| format!("channel {}", (row * 7 + n * n * 13 + row / 5) % 19);
        let conversions = if broken == Some(row) { "-1".to_owned() } else { (row % 3).to_string() };
        text += &format!("{} > {} > {},{conversions},{}.25,{}\n", step(1), step(2), step(3), row % 3 * 7, row % 5);
    }
    text
}

#[test]
fn parts_of_a_large_file_say_what_one_reader_says_to_the_last_line() {
    let (file, stream) = both_ways(many_rows(None).as_bytes());
    let (file, stream) = (file.unwrap(), stream.unwrap());
    assert_eq!(file.sums.totals(), stream.sums.totals());
    for model in Model::ALL {
        let (file, stream) = (conversions(&file, model), conversions(&stream, model));
        assert_eq!(file.len(), 19);
        for (file, stream) in file.iter().zip(&stream) {
            assert_eq!(file.0, stream.0);
            assert!((file.1 - stream.1).abs() <= 1e-9 * stream.1.abs(), "{model} {file:?} {stream:?}");
        }
    }
    for broken in [0, 56_789, 99_999] {
        let (file, stream) = both_ways(many_rows(Some(broken)).as_bytes());
        let fault = format!("{}: conversions: '-1' is not a number from 0 up", broken + 2);
        assert_eq!((file.unwrap_err(), stream.unwrap_err()), (fault.clone(), fault));
    }
}

#[test]
fn the_direct_channel_is_known_in_every_part() {
    let text = many_rows(None);
    let whole = sum_file(&on_disk(text.as_bytes()), &asked(), Some("channel 4")).unwrap();
    let stream = sum_stream(text.as_bytes(), &asked(), Some("channel 4")).unwrap();
    for model in Model::ALL {
        for (file, stream) in conversions(&whole, model).iter().zip(&conversions(&stream, model)) {
            assert!((file.1 - stream.1).abs() <= 1e-9 * stream.1.abs().max(1.0), "{model} {file:?} {stream:?}");
        }
    }
}
