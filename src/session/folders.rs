//! Where the host keeps what outlives a run.

use std::env;
use std::path::{Path, PathBuf};

use nix::unistd::User;

use super::machine::{Folders, UserFolder};

const NAME: &str = "mtkflash";
const REFUSALS: &str = "refusals";

/// Root's are those of the system, a user's are in the XDG state folder. Each
/// reads the other's journal, as far as that is known: root the one of whoever
/// called sudo.
pub fn of_host(is_superuser: bool) -> Folders {
    let of_system = UserFolder {
        path: Path::new("/var/lib").join(NAME),
        owner: 0,
    };
    if is_superuser {
        let caller = env::var("SUDO_USER").ok();
        let caller = caller.and_then(|name| User::from_name(&name).ok().flatten());
        let others = caller.filter(|caller| !caller.uid.is_root());
        return Folders {
            other_journals: others
                .map(|caller| UserFolder {
                    path: in_home(&caller.dir),
                    // Whoever may run this as root may flash every drive.
                    owner: caller.uid.as_raw(),
                })
                .into_iter()
                .collect(),
            log: Path::new("/var/log").join(NAME),
            refusals: Some(of_system.path.join(REFUSALS)),
            journal: of_system,
        };
    }
    let own = own_state();
    Folders {
        journal: UserFolder {
            path: own.clone(),
            owner: nix::unistd::geteuid().as_raw(),
        },
        other_journals: vec![of_system],
        refusals: Some(own.join(REFUSALS)),
        log: own,
    }
}

fn in_home(home: &Path) -> PathBuf {
    home.join(".local/state").join(NAME)
}

/// A relative path is no answer (XDG base directory specification).
fn own_state() -> PathBuf {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    match (absolute("XDG_STATE_HOME"), absolute("HOME")) {
        (Some(state), _) => state.join(NAME),
        (None, Some(home)) => in_home(&home),
        (None, None) => {
            let home = User::from_uid(nix::unistd::geteuid()).ok().flatten();
            in_home(&home.map_or_else(|| PathBuf::from("/"), |user| user.dir))
        }
    }
}
