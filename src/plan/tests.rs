//! Plans as sentences, and any plan carried out on a flash.

use super::*;
use crate::flash::{BANK_SIZE, Offset, table};
use proptest::prelude::*;

/// Start, end and value of bytes.
type Fill = (u32, u32, u8);

const SIZE: u32 = 4 * BANK_SIZE;

fn range(start: u32, end: u32) -> FlashRange {
    FlashRange::new(start, end)
}

fn filled(base: u8, fills: &[Fill]) -> Vec<u8> {
    let mut bytes = vec![base; SIZE as usize];
    for &(start, end, value) in fills {
        range(start, end).of_mut(&mut bytes).fill(value);
    }
    bytes
}

/// 4 KiB sectors, byte program: SST39SF020.
fn small_sectors() -> EraseLayout {
    EraseLayout::from_sizes([0x1000; 64], 1)
}

/// Large sectors at the bottom that reach into other banks, small ones at the top.
fn boot_sectors() -> EraseLayout {
    EraseLayout::from_sizes([0x20000, 0x18000, 0x2000, 0x2000, 0x4000], 1)
}

/// Chip erase only, pages of 256 bytes.
fn serial() -> EraseLayout {
    EraseLayout::whole(SIZE, 256)
}

fn texts(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(Step::to_string).collect()
}

/// One row: what is planned, on which flash, from what, to what.
struct Row {
    sentence: &'static str,
    layout: EraseLayout,
    base: u8,
    current: &'static [Fill],
    target: &'static [Fill],
    steps: &'static [&'static str],
}

#[test]
fn plans_are_as_these_sentences_say() {
    let rows = [
        Row {
            sentence: "A flash that holds the target needs nothing.",
            layout: small_sectors(),
            base: 0x5A,
            current: &[],
            target: &[],
            steps: &[],
        },
        Row {
            sentence: "A byte that only needs bits cleared is programmed without an erase.",
            layout: small_sectors(),
            base: 0x5A,
            current: &[],
            target: &[(0x12345, 0x12346, 0x0A)],
            steps: &["program 0x12345-0x12345"],
        },
        Row {
            sentence: "A byte that needs a bit set costs its sector, which is filled again.",
            layout: small_sectors(),
            base: 0x5A,
            current: &[],
            target: &[(0x12345, 0x12346, 0x5B)],
            steps: &["erase 0x12000-0x12fff", "program 0x12000-0x12fff"],
        },
        Row {
            sentence: "FF is not programmed after an erase.",
            layout: small_sectors(),
            base: 0x00,
            current: &[],
            target: &[(0x12000, 0x13000, 0xFF), (0x12800, 0x12810, 0x01)],
            steps: &["erase 0x12000-0x12fff", "program 0x12800-0x1280f"],
        },
        Row {
            sentence: "A sector that only has to become blank is only erased.",
            layout: small_sectors(),
            base: 0x00,
            current: &[],
            target: &[(0x12000, 0x13000, 0xFF)],
            steps: &["erase 0x12000-0x12fff"],
        },
        Row {
            sentence: "A blank flash is programmed without any erase.",
            layout: small_sectors(),
            base: 0xFF,
            current: &[],
            target: &[(0x2FF80, 0x30010, 0x02)],
            steps: &["program 0x2ff80-0x2ffff", "program 0x30000-0x3000f"],
        },
        Row {
            sentence: "Banks go from the last to the first, then their first pages do.",
            layout: small_sectors(),
            base: 0xFF,
            current: &[],
            target: &[(0x00000, 0x00200, 0x02), (0x20000, 0x20200, 0x02)],
            steps: &[
                "program 0x20100-0x201ff",
                "program 0x00100-0x001ff",
                "program 0x20000-0x200ff",
                "program 0x00000-0x000ff",
            ],
        },
        Row {
            sentence: "A bank's sectors are erased before the bank is programmed and after \
                       the banks above it.",
            layout: small_sectors(),
            base: 0x00,
            current: &[],
            target: &[(0x10FFF, 0x11001, 0x80), (0x3F000, 0x40000, 0x80)],
            steps: &[
                "erase 0x3f000-0x3ffff",
                "program 0x3f000-0x3ffff",
                "erase 0x10000-0x10fff",
                "erase 0x11000-0x11fff",
                "program 0x10100-0x11fff",
                "program 0x10000-0x100ff",
            ],
        },
        Row {
            sentence: "A sector of several banks is erased when the highest of them is \
                       reached.",
            layout: boot_sectors(),
            base: 0xFF,
            current: &[(0x00000, 0x00001, 0x00)],
            target: &[(0x1FFFF, 0x20000, 0x11), (0x0FFFF, 0x10000, 0x22)],
            steps: &[
                "erase 0x00000-0x1ffff",
                "program 0x1ffff-0x1ffff",
                "program 0x0ffff-0x0ffff",
            ],
        },
        Row {
            sentence: "A chip that erases only as a whole is erased for one bit, and filled \
                       again.",
            layout: EraseLayout::whole(SIZE, 1),
            base: 0xFE,
            current: &[],
            target: &[(0x12345, 0x12346, 0xFF)],
            steps: &[
                "erase 0x00000-0x3ffff",
                "program 0x30100-0x3ffff",
                "program 0x20100-0x2ffff",
                "program 0x10100-0x12344",
                "program 0x12346-0x1ffff",
                "program 0x00100-0x0ffff",
                "program 0x30000-0x300ff",
                "program 0x20000-0x200ff",
                "program 0x10000-0x100ff",
                "program 0x00000-0x000ff",
            ],
        },
        Row {
            sentence: "Pages are programmed whole, and those that stay blank are not.",
            layout: serial(),
            base: 0xFF,
            current: &[(0x20500, 0x20501, 0x00)],
            target: &[
                (0x10010, 0x10011, 0x01),
                (0x10210, 0x10211, 0x01),
                (0x103FF, 0x10401, 0x01),
            ],
            steps: &[
                "erase 0x00000-0x3ffff",
                "program 0x10200-0x104ff",
                "program 0x10000-0x100ff",
            ],
        },
        Row {
            sentence: "Without an erase only the pages that differ are programmed.",
            layout: serial(),
            base: 0x7F,
            current: &[],
            target: &[(0x10210, 0x10211, 0x0F)],
            steps: &["program 0x10200-0x102ff"],
        },
        Row {
            sentence: "A chip with sectors is erased sector by sector even where all go.",
            layout: boot_sectors(),
            base: 0x00,
            current: &[],
            target: &[(0, SIZE, 0xFF)],
            steps: &[
                "erase 0x20000-0x37fff",
                "erase 0x38000-0x39fff",
                "erase 0x3a000-0x3bfff",
                "erase 0x3c000-0x3ffff",
                "erase 0x00000-0x1ffff",
            ],
        },
    ];
    for row in rows {
        let current = filled(row.base, row.current);
        let target = filled(row.base, row.target);
        let plan = plan(&current, &target, &row.layout).unwrap();
        assert_eq!(texts(&plan), row.steps, "{}", row.sentence);
    }
}

#[test]
fn the_summary_counts_sectors_bytes_and_banks() {
    let current = filled(0x00, &[]);
    let target = filled(0x00, &[(0x0F000, 0x11000, 0xFF), (0x10000, 0x10010, 0x33)]);
    let plan = plan(&current, &target, &small_sectors()).unwrap();
    assert_eq!(
        plan.summary(),
        Summary {
            sectors_to_erase: 2,
            bytes_to_erase: 0x2000,
            bytes_to_program: 0x10,
            banks: [Bank(0), Bank(1)].into(),
        }
    );
    let (done, open) = plan.steps.split_at(2);
    assert_eq!(banks(done), [Bank(1), Bank(0)].into());
    assert_eq!(banks(open), [Bank(1)].into());
}

#[test]
fn a_sector_of_several_banks_counts_for_all_of_them() {
    let current = filled(0x00, &[]);
    let target = filled(0x00, &[(0, 1, 0x01)]);
    let plan = plan(&current, &target, &boot_sectors()).unwrap();
    assert_eq!(plan.summary().banks, [Bank(0), Bank(1)].into());
}

#[test]
fn contents_of_another_size_than_the_flash_are_refused() {
    let whole = filled(0xFF, &[]);
    let sizes = |current: &[u8], target: &[u8]| plan(current, target, &small_sectors());
    for (current, target) in [
        (&whole[1..], &whole[..]),
        (&whole[..], &whole[1..]),
        (&whole[..], &[][..]),
    ] {
        assert_eq!(
            sizes(current, target),
            Err(PlanError::Sizes {
                flash: SIZE,
                current: current.len(),
                target: target.len()
            })
        );
    }
}

#[test]
fn a_layout_with_a_gap_is_refused() {
    let mut layout = small_sectors();
    layout.sectors.remove(7);
    let whole = filled(0xFF, &[]);
    assert_eq!(plan(&whole, &whole, &layout), Err(PlanError::Layout));
}

#[test]
fn an_empty_flash_needs_nothing() {
    let layout = EraseLayout::from_sizes([], 1);
    assert_eq!(plan(&[], &[], &layout), Ok(Plan::default()));
}

#[test]
fn only_the_wanted_ranges_come_from_the_image_and_kept_ones_do_not() {
    let current = filled(0x11, &[]);
    let image = filled(0x22, &[]);
    let target = merge(
        &current,
        &image,
        &[Bank(1).range(), Bank(3).range()],
        &[range(0x1FFF0, 0x30010)],
    );
    assert_eq!(
        target,
        filled(0x11, &[(0x10000, 0x1FFF0, 0x22), (0x30010, 0x40000, 0x22)])
    );
}

#[test]
fn an_image_that_is_too_short_leaves_the_rest_as_it_is() {
    let current = filled(0x11, &[]);
    let target = merge(
        &current,
        &[0x22; 5],
        &[range(3, 900), range(SIZE, SIZE + 9)],
        &[],
    );
    assert_eq!(target, filled(0x11, &[(3, 5, 0x22)]));
}

#[test]
fn erasing_with_a_kept_range_erases_its_sector_and_puts_the_range_back() {
    let current = filled(0x11, &[]);
    let target = blank(&current, &[Bank(2).range()], &[range(0x20100, 0x22000)]);
    let plan = plan(&current, &target, &small_sectors()).unwrap();
    assert_eq!(plan.erases().next(), Some(range(0x20000, 0x21000)));
    assert_eq!(plan.erases().nth(1), Some(range(0x22000, 0x23000)));
    assert_eq!(plan.summary().sectors_to_erase, 15);
    assert_eq!(
        plan.steps.last(),
        Some(&Step::Program(range(0x20100, 0x21000)))
    );
    assert_eq!(
        execute(&plan.steps, &current, &target, &small_sectors()),
        target
    );
}

/// Carries out steps on memory that behaves as flash does.
fn execute(steps: &[Step], current: &[u8], target: &[u8], layout: &EraseLayout) -> Vec<u8> {
    let mut flash = current.to_vec();
    for step in steps {
        match step {
            Step::Erase(range) => {
                assert!(layout.sectors.contains(range), "{step} is no sector");
                range.of_mut(&mut flash).fill(ERASED);
            }
            Step::Program(range) => {
                for (cell, byte) in range.of_mut(&mut flash).iter_mut().zip(range.of(target)) {
                    *cell &= byte;
                }
            }
        }
    }
    flash
}

fn layouts() -> impl Strategy<Value = EraseLayout> {
    let known: Vec<EraseLayout> = table::all()
        .iter()
        .map(|chip| chip.layout.clone())
        .filter(|layout| layout.size() == SIZE)
        .chain([boot_sectors(), small_sectors(), serial()])
        .collect();
    proptest::sample::select(known)
}

fn fills() -> impl Strategy<Value = Vec<Fill>> {
    let value = prop_oneof![Just(0xFF), Just(0x00), any::<u8>()];
    let length = prop_oneof![1..4u32, 1..0x900u32, Just(0x1000u32), Just(BANK_SIZE)];
    let fill = (0..SIZE, length, value).prop_map(|(start, length, value)| {
        // Half of them begin at a page.
        let start = if start % 2 == 0 { start & !0xFF } else { start };
        (start, start + length, value)
    });
    prop::collection::vec(fill, 0..8)
}

/// A flash's layout, its content, and a wanted content that shares much of it.
fn jobs() -> impl Strategy<Value = (EraseLayout, Vec<u8>, Vec<u8>)> {
    let base = prop_oneof![Just(0xFF), Just(0x00), any::<u8>()];
    (layouts(), base, fills(), fills()).prop_map(|(layout, base, content, changes)| {
        let current = filled(base, &content);
        let all: Vec<Fill> = content.into_iter().chain(changes).collect();
        let target = filled(base, &all);
        (layout, current, target)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_plan_carried_out_ends_in_the_target((layout, current, target) in jobs()) {
        let plan = plan(&current, &target, &layout).unwrap();
        prop_assert!(execute(&plan.steps, &current, &target, &layout) == target);
    }

    #[test]
    fn an_interrupted_plan_is_taken_up_by_the_next(
        (layout, current, target) in jobs(),
        part in any::<prop::sample::Index>(),
    ) {
        let first = plan(&current, &target, &layout).unwrap();
        let done = &first.steps[..part.index(first.steps.len() + 1)];
        let left = execute(done, &current, &target, &layout);
        let second = plan(&left, &target, &layout).unwrap();
        prop_assert!(execute(&second.steps, &left, &target, &layout) == target);
    }

    #[test]
    fn equal_sectors_are_left_alone((layout, current, target) in jobs()) {
        let plan = plan(&current, &target, &layout).unwrap();
        let equal = layout.sectors.iter().filter(|s| s.of(&current) == s.of(&target));
        for sector in equal {
            for step in &plan.steps {
                prop_assert!(!step.range().overlaps(*sector), "{step} in {sector}");
            }
        }
    }

    #[test]
    fn no_sector_is_erased_without_need_or_twice((layout, current, target) in jobs()) {
        let plan = plan(&current, &target, &layout).unwrap();
        let mut seen = Vec::new();
        for sector in plan.erases() {
            let sets_a_bit = sector
                .of(&current)
                .iter()
                .zip(sector.of(&target))
                .any(|(current, target)| target & !current != 0);
            prop_assert!(sets_a_bit, "{sector}");
            prop_assert!(!seen.contains(&sector), "{sector}");
            seen.push(sector);
        }
    }

    #[test]
    fn every_program_unit_changes_something((layout, current, target) in jobs()) {
        let plan = plan(&current, &target, &layout).unwrap();
        let mut flash = current.clone();
        for step in &plan.steps {
            if let Step::Program(range) = step {
                prop_assert_eq!(range.start() % layout.program_unit, 0);
                prop_assert_eq!(range.len() % layout.program_unit, 0);
                let unit = layout.program_unit as usize;
                let before = range.of(&flash).chunks(unit);
                for (before, after) in before.zip(range.of(&target).chunks(unit)) {
                    prop_assert!(before != after, "{step}");
                }
            }
            flash = execute(&[*step], &flash, &target, &layout);
        }
    }

    #[test]
    fn banks_descend_and_first_pages_come_last((layout, current, target) in jobs()) {
        let plan = plan(&current, &target, &layout).unwrap();
        let place = |step: &Step| {
            let range = step.range();
            let highest = range.banks().next_back().unwrap();
            let first_page = range.start() < highest.range().start() + PAGE_SIZE;
            match step {
                Step::Erase(_) => (false, SIZE - highest.0, false),
                Step::Program(_) => (first_page, SIZE - highest.0, true),
            }
        };
        prop_assert!(plan.steps.is_sorted_by_key(place));
        for step in &plan.steps {
            if let Step::Program(range) = step {
                let bank = Offset(range.start()).bank().range();
                let page_end = bank.start() + PAGE_SIZE;
                prop_assert!(range.end() <= bank.end(), "{step}");
                prop_assert!(range.start() >= page_end || range.end() <= page_end, "{step}");
            }
        }
    }
}
