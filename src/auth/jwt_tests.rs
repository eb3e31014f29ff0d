//! JWTs: what is signed verifies, and every other text is refused.

use super::*;

const NOW_MS: u64 = 1_800_000_000_000;

fn keys(current: &str, kids: &[&str]) -> Keys {
    let pairs = kids.iter().map(|kid| (kid.to_string(), URL_SAFE_NO_PAD.encode([kid.as_bytes()[0]; 32]))).collect();
    Keys(KeyRing::from_text(current.to_owned(), pairs).unwrap())
}

fn pass() -> Pass {
    Pass::new(Scope::Runner, "t1", 1)
}

#[test]
fn a_signed_pass_verifies_until_it_ends() {
    let keys = keys("a", &["a"]);
    let (jwt, expires_ms) = keys.sign(pass(), NOW_MS).unwrap();
    assert_eq!(expires_ms, NOW_MS + LIFE_MS);
    assert_eq!(keys.verify(&jwt, NOW_MS).unwrap(), pass());
    assert!(keys.verify(&jwt, expires_ms - 1).is_ok());
    assert!(keys.verify(&jwt, expires_ms).is_err());
}

#[test]
fn while_keys_rotate_the_old_one_verifies_and_the_new_one_signs() {
    let (old_jwt, _) = keys("a", &["a"]).sign(pass(), NOW_MS).unwrap();
    let rotating = keys("b", &["a", "b"]);
    assert!(rotating.verify(&old_jwt, NOW_MS).is_ok());
    let (new_jwt, _) = rotating.sign(pass(), NOW_MS).unwrap();
    let rotated = keys("b", &["b"]);
    assert!(rotated.verify(&new_jwt, NOW_MS).is_ok());
    assert!(rotated.verify(&old_jwt, NOW_MS).is_err());
}

#[test]
fn another_key_under_the_same_name_is_refused() {
    let (jwt, _) = keys("a", &["a"]).sign(pass(), NOW_MS).unwrap();
    let other =
        Keys(KeyRing::from_text("a".into(), [("a".to_owned(), URL_SAFE_NO_PAD.encode([9; 32]))].into()).unwrap());
    assert!(other.verify(&jwt, NOW_MS).is_err());
}

#[test]
fn another_audience_another_algorithm_and_noise_are_refused() {
    let keys = keys("a", &["a"]);
    let elsewhere = Pass { aud: "muster/other".into(), ..pass() };
    let (jwt, _) = keys.sign(elsewhere, NOW_MS).unwrap();
    assert!(keys.verify(&jwt, NOW_MS).is_err());

    let (good, _) = keys.sign(pass(), NOW_MS).unwrap();
    let claims = good.split('.').nth(1).unwrap();
    for algorithm in ["none", "HS512", "RS256"] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","kid":"a"}}"#));
        assert!(keys.verify(&format!("{header}.{claims}."), NOW_MS).is_err(), "{algorithm}");
    }
    for noise in ["", "..", "a.b.c", &good[1..], &good[..good.len() - 1]] {
        assert!(keys.verify(noise, NOW_MS).is_err(), "{noise}");
    }
}

#[test]
fn the_deployments_secret_is_checked() {
    let key = URL_SAFE_NO_PAD.encode([1; 32]);
    assert!(KeyRing::from_secret("MUSTER_JWT_KEYS", &format!(r#"{{"current":"k","keys":{{"k":"{key}"}}}}"#)).is_ok());
    for wrong in [
        "".to_owned(),
        r#"{"current":"k","keys":{}}"#.to_owned(),
        r#"{"current":"k","keys":{"k":"c2hvcnQ"}}"#.to_owned(),
        format!(r#"{{"current":"other","keys":{{"k":"{key}"}}}}"#),
    ] {
        assert!(KeyRing::from_secret("MUSTER_JWT_KEYS", &wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_sent_is_pinned() {
    let (jwt, _) = keys("a", &["a"]).sign(pass(), NOW_MS).unwrap();
    let parts: Vec<String> =
        jwt.split('.').take(2).map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
    assert_eq!(parts[0], r#"{"alg":"HS256","kid":"a"}"#);
    assert_eq!(parts[1], r#"{"exp":1800000300,"iat":1800000000,"aud":"muster/ws","typ":"runner","sub":"t1","hub":1}"#);
}
