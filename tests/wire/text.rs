use proptest::prelude::*;
use sos_hub::controller::moment::{Id, Moment, Wall};
use sos_hub::wire::text::{parse_id, parse_timestamp, tidy, timestamp};

#[test]
fn times_are_utc_with_milliseconds() {
    assert_eq!(timestamp(Wall(0)), "1970-01-01T00:00:00.000Z");
    assert_eq!(timestamp(Wall(1_795_341_600_009)), "2026-11-22T10:00:00.009Z");
    assert_eq!(timestamp(Wall(-1)), "1969-12-31T23:59:59.999Z");
}

#[test]
fn a_time_beyond_the_calendar_is_still_written() {
    assert_eq!(timestamp(Wall(i64::MIN)), "0000-01-01T00:00:00.000Z");
    assert_eq!(timestamp(Wall(i64::MAX)), "9999-12-30T22:00:00.999Z");
}

#[test]
fn every_form_of_rfc_3339_is_read() {
    let ten = Some(Wall(1_795_341_600_000));
    for text in [
        "2026-11-22T10:00:00Z",
        "2026-11-22t10:00:00z",
        "2026-11-22 10:00:00Z",
        "2026-11-22T10:00:00.000000Z",
        "2026-11-22T15:30:00+05:30",
        "2026-11-22T02:00:00-08:00",
        "2026-11-22T10:00:00-00:00",
    ] {
        assert_eq!(parse_timestamp(text), ten, "{text}");
    }
    assert_eq!(parse_timestamp("2026-11-22T10:00:00.123456789Z"), Some(Wall(1_795_341_600_123)));
    assert!(parse_timestamp("2016-12-31T23:59:60Z").is_some());
}

#[test]
fn other_forms_of_time_are_not_guessed() {
    for text in [
        "2026-11-22T10:00:00",
        "2026-11-22T10:00Z",
        "20261122T100000Z",
        "2026-11-22T10:00:00,5Z",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00+01",
        "2026-11-22T10:00:00+0100",
        "2026-11-22T10:00:00Z[UTC]",
        "2026-11-22T10:00:00+01:00[Europe/Paris]",
        "2026-02-30T10:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T10:00:00Z ",
        "+002026-11-22T10:00:00Z",
        "٢٠٢٦-11-22T10:00:00Z",
        "",
    ] {
        assert_eq!(parse_timestamp(text), None, "{text}");
    }
}

#[test]
fn a_fresh_id_is_a_uuid_of_version_7_of_its_time() {
    let id = |wall, random| Id::v7(Wall(wall), random).to_string();
    assert_eq!(id(0x0123_4567_89ab, 0), "01234567-89ab-7000-8000-000000000000");
    assert_eq!(id(0x0123_4567_89ab, u128::MAX), "01234567-89ab-7fff-bfff-ffffffffffff");
    // Where the clock is far off: still one, and in no other field.
    assert_eq!(id(-1, 0x0fff << 64), "00000000-0000-7fff-8000-000000000000");
    assert_eq!(id(i64::MAX, 1), "ffffffff-ffff-7000-8000-000000000001");
}

/// The first output of SplitMix64 with the seed 0, as its authors publish it, in both halves.
#[test]
fn a_fresh_id_mixes_all_that_is_random_and_its_draw() {
    let id = |random: u128, draw| Moment { wall: Wall(1), random, ..Moment::default() }.fresh_id(draw).to_string();
    let expected = "00000000-0001-7daf-a220-a8397b1dcdaf";
    assert_eq!(id(0x9e37_79b9_7f4a_7c15_9e37_79b9_7f4a_7c15, 0), expected);
    assert_eq!(id(0x9e37_79b9_7f4a_7c12_9e37_79ba_7f4a_7c15, 3), expected);
}

#[test]
fn an_id_is_a_hyphenated_uuid() {
    let id = Some(Id(0x019a_aaaa_bbbb_7ccc_8ddd_eeee_eeee_ffff));
    assert_eq!(parse_id("019aaaaa-bbbb-7ccc-8ddd-eeeeeeeeffff"), id);
    assert_eq!(parse_id("019AAAAA-BBBB-7CCC-8DDD-EEEEEEEEFFFF"), id);
    for text in [
        "019aaaaabbbb7ccc8dddeeeeeeeeffff",
        "{019aaaaa-bbbb-7ccc-8ddd-eeeeeeeeffff}",
        "urn:uuid:019aaaaa-bbbb-7ccc-8ddd-eeeeeeeeffff",
        "019aaaaa-bbbb-7ccc-8ddd-eeeeeeeefffg",
        "019aaaaab-bbb-7ccc-8ddd-eeeeeeeeffff",
    ] {
        assert_eq!(parse_id(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_time_survives_the_way_there_and_back(milliseconds in -62_167_219_200_000i64..253_402_200_000_000) {
        prop_assert_eq!(parse_timestamp(&timestamp(Wall(milliseconds))), Some(Wall(milliseconds)));
    }

    #[test]
    fn any_time_can_be_written(milliseconds in any::<i64>()) {
        prop_assert_eq!(timestamp(Wall(milliseconds)).len(), 24);
    }

    #[test]
    fn an_id_survives_the_way_there_and_back(bits in any::<u128>()) {
        prop_assert_eq!(parse_id(&Id(bits).to_string()), Some(Id(bits)));
    }

    #[test]
    fn no_text_causes_a_panic(text in any::<String>()) {
        let _ = (parse_timestamp(&text), parse_id(&text));
        let tidied = tidy(&text, 5);
        prop_assert!(tidied.chars().count() <= 5 && !tidied.contains(char::is_control));
        prop_assert_eq!(tidied.trim(), &tidied);
    }
}
