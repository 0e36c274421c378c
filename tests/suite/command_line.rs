//! The program as a person at a terminal uses it.

use crate::support::*;
use std::fs;
use tempfile::TempDir;

struct Shell {
    folder: TempDir,
    database_url: String,
}

impl Shell {
    async fn new(kind: Kind) -> Option<Shell> {
        let folder = tempfile::tempdir().unwrap();
        let database_url = fresh_database(kind, &folder).await?;
        Some(Shell { folder, database_url })
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let data = self.folder.path().display().to_string();
        let mut all = vec!["--database-url", &self.database_url, "--data-dir", &data];
        all.extend(arguments);
        run(&all, input)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

macro_rules! both_shells {
    ($(fn $name:ident($shell:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            fn body($shell: &Shell) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(&Shell::new(Kind::Sqlite).await.unwrap());
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(shell) = Shell::new(Kind::Postgres).await {
                    body(&shell);
                }
            }
        }
    )*};
}

/// A program has no import; its maker is the API.
fn program(shell: &Shell) {
    let key = shell.run(&["key", "add", "--name", "test", "--scope", "write"]).1.trim().to_owned();
    let data = shell.folder.path().display().to_string();
    let server = Server::start(&["--database-url", &shell.database_url, "--data-dir", &data, "--listen", "127.0.0.1:0", "serve"]);
    let body = serde_json::json!({ "name": "Shop", "currency": "RUB", "destination_hosts": ["shop.example"], "hold_days": 0 });
    let rule = serde_json::json!({ "percent": "10" });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for (path, body) in [("programs", &body), ("commission-rules", &rule)] {
                    let request = reqwest::Client::new().post(format!("{}/v1/{path}", server.url)).bearer_auth(&key).json(body);
                    assert_eq!(request.send().await.unwrap().status(), 201);
                }
            });
        });
    });
}

both_shells! {
    fn files_go_in_and_a_payout_comes_out(shell) {
        program(shell);
        for (kind, text) in [
            ("partners", "external_id;name;email;payout_method;payout_iban\nann;Анна;anna@blog.example;sepa;DE02120300000000202051\n"),
            ("links", "code,partner,url\nann,ann,https://shop.example/\n"),
            ("promo-codes", "code,partner,discount_percent\nANN10,ann,10\n"),
            ("touches", "id,at,visitor_id,customer_id,kind,url,partner,note\nt1,2026-10-01T10:00:00Z,v1,,click,https://shop.example/?sub1=a,ann,x\nt1,2026-10-01T10:00:00Z,v1,,click,,ann,x\nt2,2026-10-02T10:00:00Z,v1,c1,visit,https://shop.example/,,x\n"),
            ("orders", "external_id,placed_at,currency,total,customer_id,promo_codes\no1,2026-10-03T10:00:00+03:00,RUB,1000.00,c1,\no2,2026-10-04T10:00:00Z,RUB,500.00,,ann10|other\n"),
            ("refunds", "order,refund_id,amount,refunded_at\no1,r1,250.00,2026-10-05T00:00:00Z\n,r2,5.00,\n"),
            ("costs", "date,source,medium,campaign,amount,currency\n2026-10-01,google,cpc,a,10.00,RUB\n"),
        ] {
            let path = shell.file(&format!("{kind}.csv"), text);
            let (code, _, errors) = shell.run(&["import", kind, &path, "--dry-run"]);
            assert_eq!((code, errors.contains("error")), (0, false), "{kind}: {errors}");
            for _ in 0..2 {
                let (code, out, errors) = shell.run(&["import", kind, &path]);
                assert_eq!(code, 0, "{kind}: {out}{errors}");
            }
        }
        let (_, out, errors) = shell.run(&["import", "touches", &shell.folder.path().join("touches.csv").display().to_string()]);
        assert!(out.contains("3 rows: 0 new, 3 known") && errors.contains("columns ignored: note"), "{out}{errors}");
        let (code, out, _) = shell.run(&["explain", "o1"]);
        assert_eq!(code, 0);
        assert!(out.contains("latest_click_in_window") && out.contains("10 % × 1000.00 × 750.00 / 1000.00 left after refunds = 75.00 RUB"), "{out}");
        let (code, out, _) = shell.run(&["report", "partners", "--from", "2026-10-01", "--to", "2026-10-31", "--format", "csv"]);
        assert_eq!(code, 0);
        // PostgreSQL gives no id of a dry run again.
        assert!(out.lines().nth(1).unwrap().split_once(',').unwrap().1.starts_with("1,0,1,0,0,2,2,1500.00,250.00,"), "{out}");
        assert_eq!(shell.run(&["payouts", "build", "--period", "2026-10"]).0, 0);
        assert_eq!(shell.run(&["payouts", "approve", "--period", "2026-10"]).0, 0);
        let file = shell.folder.path().join("run.csv").display().to_string();
        assert_eq!(shell.run(&["payouts", "export", "--period", "2026-10", "--out", &file]).0, 0);
        insta::with_settings!({ filters => vec![(r"par_\d+", "[partner]")] }, {
            insta::assert_snapshot!("imported_payout_run_csv", fs::read_to_string(&file).unwrap());
        });
        let workbook = shell.folder.path().join("run.xlsx").display().to_string();
        assert_eq!(shell.run(&["payouts", "export", "--period", "2026-10", "--format", "xlsx", "--out", &workbook]).0, 0);
        assert!(fs::read(&workbook).unwrap().starts_with(b"PK"));
        for (arguments, said) in [
            (["--format", "pain001", "--version", "03"], "no payment of this run fits"),
            (["--format", "pdf", "--part", "1"], "'pdf' is no format"),
            (["--format", "1c", "--delimiter", "comma"], "delimiter is for csv only"),
        ] {
            let (code, _, errors) = shell.run(&[&["payouts", "export", "--period", "2026-10"], &arguments[..]].concat());
            assert_eq!(code, 1, "{errors}");
            assert!(errors.contains(said), "{errors}");
        }
        let (code, _, errors) = shell.run(&["payouts", "statement", "--period", "2026-10", &file]);
        assert!(code == 1 && errors.contains("neither 1CClientBankExchange nor camt.053"), "{errors}");
        assert_eq!(shell.run(&["payouts", "paid", "--period", "2026-10", "--bank-reference", "7"]).0, 0);
        let (code, out, _) = shell.run(&["doctor"]);
        assert_eq!(code, 0, "{out}");
    }

    fn one_bad_row_among_many_refuses_the_whole_file(shell) {
        program(shell);
        let mut text = "external_id,placed_at,currency,total\n".to_owned();
        for number in 0..100_000 {
            let total = if number == 12_345 { "1.2.3" } else { "10.00" };
            text += &format!("o{number},2026-10-03T10:00:00Z,RUB,{total}\n");
        }
        let path = shell.file("orders.csv", &text);
        let (code, out, errors) = shell.run(&["import", "orders", &path]);
        assert_eq!(code, 1, "{out}");
        assert!(errors.contains(&format!("{path}:12347: total: '1.2.3' is not a decimal amount")), "{errors}");
        assert!(errors.contains("nothing was stored"), "{errors}");
        let (_, out, _) = shell.run(&["report", "channels", "--from", "2026-10-01", "--to", "2026-10-31", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["totals"]["orders"], 0.0);
    }

    fn faults_of_files_name_line_and_column(shell) {
        program(shell);
        for (kind, text, said) in [
            ("orders", "external_id,currency,total\n", ":1: placed_at: this column is missing"),
            ("orders", "external_id,placed_at,currency,total\na,2026-10-03T10:00:00Z,RUB\n", ":2: row: has 3 cells, the head has 4"),
            ("orders", "external_id,placed_at,currency,total,customer_email\na,2026-10-03T10:00:00Z,RUB,1,nobody\n", ":2: customer_email: is not an e-mail address"),
            ("orders", "external_id,placed_at,currency,total\na,2099-10-03T10:00:00Z,RUB,1\n", ":2: placed_at: is in the future"),
            ("orders", "external_id,placed_at,currency,total\na,2026-10-03T10:00:00Z,EUR,1\n", ":2: currency: no program is in EUR"),
            ("refunds", "order,refund_id,amount\nnone,r,1\n", ":2: order: there is no order 'none'"),
            ("touches", "id,at,partner\na,2026-10-03T10:00:00Z,nobody\n", ":2: partner: there is no partner 'nobody'"),
            ("links", "code,url\na,https://evil.example/\n", ":2: url: evil.example is not among"),
            ("costs", "date,amount,currency,clicks\n2026-10-03,1,RUB,many\n", ":2: clicks: 'many' is not a whole number"),
            ("costs", "date,amount,currency,clicks\r\n2026-10-03,1,RUB,1\r\n2026-10-04,1,RUB,many\r\n", ":3: clicks: 'many' is not a whole number"),
        ] {
            let path = shell.file("f.csv", text);
            let (code, _, errors) = shell.run(&["import", kind, &path]);
            assert_eq!(code, 1);
            assert!(errors.contains(&format!("{path}{said}")), "{said}: {errors}");
        }
        let path = shell.file("f.csv", "Nr,When,Cur,Sum\nm1,2026-10-03T10:00:00Z,RUB,1.00\n");
        let maps = ["--map", "external_id=Nr", "--map", "placed_at=When", "--map", "currency=Cur", "--map", "total=Sum"];
        let mut arguments = vec!["import", "orders", path.as_str()];
        arguments.extend(maps);
        assert_eq!(shell.run(&arguments).0, 0);
    }

    fn commands_started_at_once_on_an_empty_store_all_work(shell) {
        std::thread::scope(|scope| {
            let keys: Vec<_> = (0..6).map(|_| scope.spawn(|| shell.run(&["key", "add", "--name", "n", "--scope", "read"]))).collect();
            for key in keys {
                let (code, _, errors) = key.join().unwrap();
                assert_eq!(code, 0, "{errors}");
            }
        });
    }

    fn users_keys_and_usage(shell) {
        let (code, out, _) = shell.run_with(&["user", "add", "--email", "Owner@Shop.example", "--role", "owner"], "a long password\n");
        assert_eq!((code, out.trim()), (0, "usr_1"));
        assert_eq!(shell.run_with(&["user", "add", "--email", "owner@shop.example", "--role", "owner"], "a long password\n").0, 1);
        assert_eq!(shell.run_with(&["user", "add", "--email", "x@shop.example", "--role", "owner"], "short\n").0, 1);
        assert_eq!(shell.run_with(&["user", "add", "--email", "x@shop.example", "--role", "partner"], "a long password\n").0, 1);
        assert_eq!(shell.run_with(&["user", "passwd", "--email", "owner@shop.example"], "another password\n").0, 0);
        let (code, key, _) = shell.run(&["key", "add", "--name", "shop", "--scope", "write"]);
        assert_eq!((code, key.trim().len(), &key[..4]), (0, 47, "trb_"));
        assert_eq!(shell.run(&["key", "add", "--name", "shop", "--scope", "all"]).0, 2);
        assert_eq!(shell.run(&["nonsense"]).0, 2);
        assert_eq!(shell.run(&["--help"]).0, 0);
        assert_eq!(shell.run(&["migrate"]).0, 0);
        let (code, out, _) = shell.run(&["openapi"]);
        assert_eq!(code, 0);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["openapi"], "3.1.0");
    }
}

#[test]
fn settings_come_from_flag_then_environment_then_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    fs::write(folder.path().join("tributary.toml"), format!("database_url = \"{}\"\n", url("file"))).unwrap();
    fs::write(folder.path().join("secret"), url("secret")).unwrap();
    let migrate = |flag: Option<String>, environment: &[(&str, String)]| {
        let mut command = tributary(&["migrate"]);
        command.current_dir(folder.path()).envs(environment.iter().map(|(k, v)| (*k, v.clone())));
        if let Some(flag) = flag {
            command.args(["--database-url", &flag]);
        }
        assert!(command.output().unwrap().status.success());
    };
    let exists = |name: &str| folder.path().join(format!("{name}.db")).exists();
    migrate(None, &[]);
    assert!(exists("file") && !exists("environment"));
    migrate(None, &[("TRIBUTARY_DATABASE_URL", url("environment"))]);
    assert!(exists("environment") && !exists("flag"));
    migrate(Some(url("flag")), &[("TRIBUTARY_DATABASE_URL", url("other"))]);
    assert!(exists("flag") && !exists("other"));
    migrate(None, &[("TRIBUTARY_DATABASE_URL_FILE", folder.path().join("secret").display().to_string())]);
    assert!(exists("secret"));
    fs::write(folder.path().join("tributary.toml"), "databse_url = \"x\"\n").unwrap();
    let output = tributary(&["migrate"]).current_dir(folder.path()).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("databse_url"));
}
