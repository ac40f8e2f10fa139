//! The drive index of the DOS tool.

use std::fmt;

use crate::transport::Unit;
use crate::transport::port::Channel;

/// A position on the two IDE channels of a PC, 1 to 4: primary master, primary
/// slave, secondary master, secondary slave, as MTKFLASH counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u8);

impl Position {
    pub const ALL: [Position; 4] = [Position(1), Position(2), Position(3), Position(4)];

    /// `None` where the number is not one of 1 to 4.
    pub fn new(number: u8) -> Option<Position> {
        (1..=4).contains(&number).then_some(Position(number))
    }

    pub fn of(channel: Channel, unit: Unit) -> Position {
        Position(match (channel, unit) {
            (Channel::Primary, Unit::Master) => 1,
            (Channel::Primary, Unit::Slave) => 2,
            (Channel::Secondary, Unit::Master) => 3,
            (Channel::Secondary, Unit::Slave) => 4,
        })
    }

    /// 1 to 4.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The legacy channel; its ports are `Channel::base`.
    pub fn channel(self) -> Channel {
        if self.0 <= 2 {
            Channel::Primary
        } else {
            Channel::Secondary
        }
    }

    pub fn unit(self) -> Unit {
        if self.0 % 2 == 1 {
            Unit::Master
        } else {
            Unit::Slave
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit() {
            Unit::Master => "master",
            Unit::Slave => "slave",
        };
        write!(f, "{} {unit}", channel_name(self.channel()))
    }
}

/// `primary` or `secondary`.
pub fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Primary => "primary",
        Channel::Secondary => "secondary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_positions_are_those_of_the_dos_tool() {
        let shown: Vec<_> = Position::ALL
            .iter()
            .map(|position| {
                format!(
                    "{} {position} {:X}h {:X}h",
                    position.number(),
                    position.channel().base(),
                    position.unit().device()
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "1 primary master 1F0h A0h",
                "2 primary slave 1F0h B0h",
                "3 secondary master 170h A0h",
                "4 secondary slave 170h B0h",
            ]
        );
    }

    #[test]
    fn a_position_is_its_channel_and_unit() {
        for position in Position::ALL {
            assert_eq!(Position::of(position.channel(), position.unit()), position);
        }
    }

    #[test]
    fn there_is_no_position_beyond_1_to_4() {
        assert_eq!(Position::new(0), None);
        assert_eq!(Position::new(5), None);
        assert_eq!(Position::new(4).map(Position::number), Some(4));
    }
}
