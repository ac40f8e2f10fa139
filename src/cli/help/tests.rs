use super::super::args::{self, Command, Request};
use super::*;

/// A line as it is typed in the help, placeholders filled in.
fn understood(line: &str) -> Request {
    let line = line
        .replace("[DRIVE]", "3")
        .replace("DRIVE", "3")
        .replace('\\', "");
    let words = line.split_whitespace().map(Into::into);
    args::parse(words).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The commands that a text shows, each on a line of its own.
fn commands(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim_start().split("   ").next())
        .filter(|line| line.starts_with("mtkflash ") && !line.starts_with("mtkflash 0"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_help_reads_as_it_should() {
    let all: Vec<String> = Topic::all()
        .map(|topic| {
            let words = Request::help(topic).words();
            let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
            format!("> mtkflash {}\n{}", words.join(" "), text(topic))
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_first_screen_leaves_a_line_of_25_to_type_at() {
    let lines = text(Topic::Overview).lines().count();
    assert!(lines <= 24, "{lines} lines");
}

#[test]
fn the_first_screen_tells_every_command_and_every_topic() {
    let help = text(Topic::Overview);
    for verb in Verb::ALL {
        assert!(help.contains(verb.about().form), "{verb}");
    }
    for topic in Topic::NAMED {
        let line = format!("mtkflash help {}", topic.name().unwrap());
        assert!(help.contains(&line), "{line}");
    }
}

#[test]
fn every_line_that_the_help_shows_is_understood() {
    let mut found = 0;
    for topic in Topic::all() {
        for line in commands(&text(topic)) {
            understood(&line);
            found += 1;
        }
    }
    assert!(found > 30, "{found} lines");
}

#[test]
fn the_help_on_a_command_shows_lines_of_that_command() {
    for verb in Verb::ALL {
        let shown = commands(&text(Topic::Command(verb)));
        assert!(shown.len() > 1, "{verb}");
        for line in shown {
            assert_eq!(understood(&line).command.verb(), Some(verb), "{line}");
        }
    }
}

#[test]
fn the_help_on_a_command_tells_its_switches_and_no_other() {
    for verb in Verb::ALL {
        let help = text(Topic::Command(verb));
        for switch in SWITCHES {
            let row = format!("  {}", spelling(switch, str::to_owned, str::to_owned));
            let is_told = help
                .lines()
                .any(|line| line.starts_with(&row) && line.trim_end().ends_with(switch.brief));
            assert_eq!(is_told, switch.verbs.contains(&verb), "{row}\n{help}");
        }
    }
}

#[test]
fn the_help_fits_a_terminal_of_80_columns() {
    let long: Vec<String> = Topic::all()
        .map(text)
        .collect::<String>()
        .lines()
        .filter(|line| line.chars().count() > WIDTH)
        .map(str::to_owned)
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn the_help_is_ascii() {
    for topic in Topic::all() {
        assert!(text(topic).is_ascii(), "{topic:?}");
    }
    for artifact in Artifact::ALL {
        assert!(generated(artifact).is_ascii(), "{artifact:?}");
    }
}

#[test]
fn the_man_page_tells_every_command_switch_check_and_exit_code() {
    let page = generated(Artifact::Man);
    // As a reader sees it, without the marks of the typesetter.
    let read = page
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
        .replace("\\-", "-");
    for verb in Verb::ALL {
        assert!(read.contains(verb.about().form), "{verb}");
    }
    for switch in SWITCHES {
        assert!(
            read.contains(&format!(
                "\n{}\n",
                spelling(switch, str::to_owned, str::to_owned)
            )),
            "{}",
            switch.long
        );
    }
    for check in Check::ALL {
        assert!(
            read.contains(&format!("\n{}\n", check.name())),
            "{}",
            check.name()
        );
    }
    for exit in Exit::ALL {
        assert!(
            read.contains(&format!("\n{}\n", exit.code())),
            "{}",
            exit.code()
        );
    }
}

#[test]
fn no_line_of_the_man_page_is_a_request_by_mistake() {
    const REQUESTS: [&str; 8] = [".TH", ".SH", ".PP", ".TP", ".nf", ".fi", ".RS", ".RE"];
    for line in generated(Artifact::Man).lines() {
        let is_request = line.starts_with(['.', '\'']);
        let is_known = REQUESTS.iter().any(|request| line.starts_with(request));
        assert!(!is_request || is_known, "{line}");
    }
}

#[test]
fn every_completion_knows_every_switch_and_command() {
    for shell in [Artifact::Bash, Artifact::Zsh, Artifact::Fish] {
        let script = generated(shell);
        for switch in SWITCHES {
            let names = [format!("--{}", switch.long), format!("-l {} ", switch.long)];
            assert!(
                names.iter().any(|name| script.contains(name)),
                "{shell:?}: {}",
                switch.long
            );
        }
        for verb in Verb::ALL {
            assert!(script.contains(verb.word()), "{shell:?}: {verb}");
        }
        for check in Check::ALL {
            assert!(script.contains(check.name()), "{shell:?}: {}", check.name());
        }
    }
}

#[test]
fn a_request_for_a_text_is_printed_and_understood_again() {
    let topics = Topic::all().map(Command::Help);
    let artifacts = Artifact::ALL.map(Command::Generate);
    for command in topics.chain(artifacts) {
        let request = match command {
            Command::Help(topic) => Request::help(topic),
            Command::Generate(artifact) => Request::generate(artifact),
            other => panic!("{other:?}"),
        };
        let words = std::iter::once("mtkflash".into()).chain(request.words());
        assert_eq!(args::parse(words), Ok(request));
    }
}

#[test]
fn every_part_of_a_file_is_filled_in() {
    for artifact in Artifact::ALL {
        let text = generated(artifact);
        let is_part = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase());
        assert!(!text.split('@').skip(1).any(is_part), "{text}");
    }
}
