//! The conversation with a model hub.

use super::*;
use crate::hub_link::HubAddress;
use crate::hub_link::model::{model, refusal, test};

const TOKEN: &str = "mst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt";
const GRANTED: &str = r#"{"token":"mst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt","id":"t1","name":"lap\u001btop","scope":"cli","person":{"id":"1","name":"Ada"},"more":1}"#;
const CODES: &str = r#"{"device_code":"d","user_code":"WDJB-\u001b[31mMJHT","verification_uri":"https://h/device","verification_uri_complete":"https://h/device?code=WDJB-MJHT","expires_in":600,"interval":5}"#;

fn started() -> Started {
    Started {
        device_code: Secret::new("the-device-code"),
        user_code: String::new(),
        verification_uri: String::new(),
        verification_uri_complete: String::new(),
        life: Duration::from_secs(600),
        interval: Duration::from_secs(5),
    }
}

#[test]
fn starting_gives_codes_that_are_fit_for_a_terminal() {
    test(async {
        let (hub, asked) = model(vec![("200 OK", CODES.into())]).await;
        let started = start(&hub, "laptop", Scope::Runner).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(started.user_code, "WDJB-[31mMJHT");
        assert_eq!(started.verification_uri_complete, "https://h/device?code=WDJB-MJHT");
        assert_eq!((started.life.as_secs(), started.interval.as_secs()), (600, 5));
        let asked = asked.lock().expect("asked");
        assert!(asked[0].starts_with("POST /api/device HTTP/1.1\r\n"), "{}", asked[0]);
        assert!(asked[0].ends_with(r#"{"name":"laptop","scope":"runner"}"#), "{}", asked[0]);
    });
}

#[test]
fn what_is_no_hub_is_told_from_an_older_one_and_from_a_refusal() {
    test(async {
        let odd = CODES.replace("https://h/device\"", "file:///etc/passwd\"");
        for (status, body, part) in [
            ("404 Not Found", "<html>".to_owned(), "no Muster hub"),
            ("200 OK", "<html>".to_owned(), "no Muster hub"),
            ("200 OK", odd, "no Muster hub"),
            ("", "SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "no Muster hub"),
            ("404 Not Found", refusal("not_found"), "older than this program"),
            ("429 Too Many Requests", refusal("rate_limited"), "the hub's words"),
            ("400 Bad Request", refusal("invalid"), "the hub's words"),
            ("503 Service Unavailable", String::new(), "503"),
        ] {
            let (hub, _) = model(vec![(status, body)]).await;
            let error = start(&hub, "laptop", Scope::Cli).await.map(|_| ()).expect_err(status).to_string();
            assert!(error.contains(part), "{status}: {error}");
        }
        let nobody = Dialler::new(HubAddress::parse("http://127.0.0.1:1").expect("address"));
        let error = start(&nobody, "laptop", Scope::Cli).await.map(|_| ()).expect_err("nobody").to_string();
        assert!(error.contains("cannot reach 127.0.0.1:1"), "{error}");
    });
}

#[test]
fn each_answer_to_a_poll_has_its_meaning() {
    let answers = [
        ("400 Bad Request", refusal("authorization_pending"), Some("pending")),
        ("400 Bad Request", refusal("slow_down"), Some("slow")),
        ("502 Bad Gateway", "<html>".into(), Some("away")),
        ("429 Too Many Requests", refusal("rate_limited"), Some("slow")),
        ("200 OK", GRANTED.to_owned(), None),
    ];
    let hub = Dialler::new(HubAddress::parse("http://h").expect("address"));
    for (status, body, expected) in answers {
        let status = StatusCode::from_bytes(&status.as_bytes()[..3]).expect("status");
        let answer = Answer { status, body: body.into() };
        let told = match judge(&hub, &answer).unwrap_or_else(|error| panic!("{error}")) {
            Polled::Pending => Some("pending"),
            Polled::SlowDown => Some("slow"),
            Polled::Away(_) => Some("away"),
            Polled::Granted(granted) => {
                assert!(granted.token == Secret::new(TOKEN));
                assert_eq!((granted.own.name.as_str(), granted.own.person.name.as_str()), ("laptop", "Ada"));
                None
            }
        };
        assert_eq!(told, expected);
    }
    assert_eq!(slower(Duration::from_secs(5)).as_secs(), 10);
    assert_eq!(slower(Duration::from_secs(119)).as_secs(), *INTERVAL_S.end());
}

#[test]
fn the_wait_ends_with_the_token_or_with_the_codes_life() {
    test(async {
        let pending = || ("400 Bad Request", refusal("authorization_pending"));
        let (hub, asked) = model(vec![pending(), pending(), ("200 OK", GRANTED.into())]).await;
        let at_once = Started { interval: Duration::ZERO, ..started() };
        let granted = wait(&hub, &at_once, |error| panic!("{error}")).await;
        assert!(granted.is_ok_and(|granted| granted.token == Secret::new(TOKEN)));
        let asked = asked.lock().expect("asked").clone();
        assert_eq!(asked.len(), 3);
        for request in &asked {
            assert!(request.starts_with("POST /api/device/token HTTP/1.1\r\n"), "the code is in no address");
            assert!(request.ends_with(r#"{"device_code":"the-device-code"}"#), "{request}");
        }
        let over = Started { life: Duration::ZERO, ..started() };
        assert!(matches!(wait(&hub, &over, |_| {}).await, Err(LoginError::Expired)));
    });
}

#[test]
fn no_and_too_late_end_the_wait() {
    let hub = Dialler::new(HubAddress::parse("http://h").expect("address"));
    let judged = |code: &str| {
        let answer = Answer { status: StatusCode::BAD_REQUEST, body: refusal(code).into() };
        judge(&hub, &answer).map(|_| ()).expect_err(code)
    };
    assert!(matches!(judged("access_denied"), LoginError::Denied { .. }));
    assert!(matches!(judged("expired_token"), LoginError::Expired));
    assert!(matches!(judged("limit"), LoginError::Refused { .. }));
    let other = Answer { status: StatusCode::OK, body: GRANTED.replace("mst_", "xyz_").into() };
    let error = judge(&hub, &other).map(|_| ()).expect_err("no token").to_string();
    assert!(error.contains("no token") && !error.contains("AAAA"), "{error}");
}

#[test]
fn a_token_is_shown_as_a_header_and_given_up() {
    test(async {
        let own_answer = r#"{"id":"t1","name":"laptop","scope":"runner","person":{"id":"1","name":"Ada"}}"#;
        let (hub, asked) = model(vec![
            ("200 OK", own_answer.into()),
            ("401 Unauthorized", refusal("unauthorized")),
            ("204 No Content", String::new()),
            ("401 Unauthorized", refusal("unauthorized")),
            ("401 Unauthorized", "a proxy's login page".into()),
        ])
        .await;
        let token = Secret::new(TOKEN);
        let found = own(&hub, &token).await.unwrap_or_else(|error| panic!("{error}")).expect("known");
        assert_eq!((found.scope, found.person.name.as_str()), (Scope::Runner, "Ada"));
        assert!(matches!(own(&hub, &token).await, Ok(None)));
        assert!(matches!(revoke(&hub, &token).await, Ok(true)));
        assert!(matches!(revoke(&hub, &token).await, Ok(false)));
        assert!(revoke(&hub, &token).await.is_err(), "a proxy's refusal is not the hub's");
        let asked = asked.lock().expect("asked");
        assert!(asked[2].starts_with("DELETE /api/tokens/self HTTP/1.1\r\n"));
        for request in asked.iter() {
            assert!(request.contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{request}");
            assert!(!request.lines().next().unwrap_or_default().contains("mst_"));
        }
    });
}
