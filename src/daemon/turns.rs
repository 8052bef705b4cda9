//! THE loop: wait for one input or the next deadline, hand it to the controller, carry out its effects.
//!
//! It is generic over the world, so that a simulation turns the very same loop in virtual time.

use std::time::Duration;

use crate::controller::Controller;
use crate::controller::effect::Effect;
use crate::controller::input::Input;
use crate::controller::moment::{Boottime, Moment};

/// What the loop needs of the world.
pub trait World {
    /// Where the boot clock stands.
    fn now(&mut self) -> Boottime;
    /// The time and the randomness of one turn.
    fn moment(&mut self) -> Moment;
    /// Waits for the next thing to happen, at most for this long (for ever if `None`).
    fn wait(&mut self, patience: Option<Duration>) -> Happening;
    fn carry_out(&mut self, effect: Effect);
}

/// What ended the loop's wait.
pub enum Happening {
    Input(Input),
    /// The patience was over, and nothing waits.
    Nothing,
    /// The process is asked to end.
    Stop,
}

/// Turns until the process is asked to end.
pub fn turn(controller: &mut Controller, world: &mut impl World) {
    loop {
        let patience = controller.deadline().map(|deadline| deadline.at.since(world.now()));
        let input = match world.wait(patience) {
            Happening::Input(input) => input,
            Happening::Nothing => Input::Elapsed,
            Happening::Stop => return,
        };
        let moment = world.moment();
        for effect in controller.step(moment, input) {
            world.carry_out(effect);
        }
    }
}
