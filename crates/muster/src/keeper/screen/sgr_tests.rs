//! Spellings of colours, and the way from one pen to another.

use super::*;
use proptest::prelude::*;

fn read(text: &[u8], pen: &mut Pen, ext: &mut Extended) {
    for part in text.split(|byte| *byte == b'm').filter(|part| !part.is_empty()) {
        let mut params = Params::default();
        part[2..].iter().for_each(|byte| params.push(*byte));
        apply(&params, pen, ext);
    }
}

fn pen_of(text: &str) -> (Pen, Extended) {
    let (mut pen, mut ext) = (Pen::default(), Extended::default());
    read(format!("\x1b[{text}m").as_bytes(), &mut pen, &mut ext);
    (pen, ext)
}

#[test]
fn colours_in_all_their_spellings() {
    for same in ["38;2;1;2;3", "38:2::1:2:3", "38;2:0:1:2:3"] {
        assert_eq!(pen_of(same).0.fg, COLOR_RGB | 0x01_0203, "{same}");
    }
    assert_eq!((pen_of("38:5:200").0.fg, pen_of("38;5;200").0.fg), (COLOR_P256 | 200, COLOR_P256 | 200));
    assert_eq!(pen_of("38;5;1;1").0.fg, COLOR_P256 | 1 | fg::BOLD);
    assert_eq!(
        pen_of("4:3;58:2::9:8:7").1,
        Extended { underline: 3, underline_color: COLOR_RGB | 0x09_0807, link: None }
    );
}

fn any_pen() -> impl Strategy<Value = (Pen, Extended)> {
    let codes = prop::sample::select(vec![
        "0",
        "1",
        "2",
        "3",
        "4",
        "4:2",
        "4:3",
        "4:5",
        "5",
        "7",
        "8",
        "9",
        "21",
        "22",
        "53",
        "31",
        "97",
        "44",
        "103",
        "38;5;9",
        "48;5;200",
        "38;2;1;2;3",
        "48;2;4;5;6",
        "4;58:5:3",
        "4;58:2::7:8:9",
        "4;59",
        "39",
        "49",
        "24",
    ]);
    prop::collection::vec(codes, 0..8).prop_map(|codes| pen_of(&codes.join(";")))
}

proptest! {
    #[test]
    fn the_way_from_one_pen_to_another_leads_there(a in any_pen(), b in any_pen()) {
        let mut way = Vec::new();
        write(&mut way, (&a.0, &a.1), (&b.0, &b.1));
        let (mut pen, mut ext) = a;
        read(&way, &mut pen, &mut ext);
        prop_assert_eq!((pen, ext), b);
    }
}
