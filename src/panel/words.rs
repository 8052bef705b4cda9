//! Every English word of the pages, in one place: what the pages are drawn with, and what their scripts say.

pub const APP: &str = "SOS";
pub const SOS: &str = "SOS";

pub const HOME: &str = "Home";
pub const LIVE: &str = "Live View";
pub const HISTORY: &str = "History";
pub const SETUP: &str = "Setup";
pub const PAGES: &str = "Pages";
pub const SKIP: &str = "Skip to the content";

pub const NO_SCRIPT: &str =
    "This page needs JavaScript, and does nothing without it. To get help, call the emergency number.";
pub const CONNECTING: &str = "Connecting to the hub…";
pub const STILL_CONNECTING: &str =
    "If this stays, the SOS button does not work yet. To get help, call the emergency number.";
pub const LOST: &str = "No connection to the hub.";
pub const LOST_ADVICE: &str = "What was shown here may no longer be true. To get help, call the emergency number.";

pub const NOW: &str = "What goes on now";
pub const SHEET: &str = "Get help";
pub const SLIDE_POLICE: &str = "Slide to request police";
pub const SLIDE_FIRE: &str = "Slide to request fire department";
pub const SIREN_ONLY: &str = "Sound siren only";
pub const SLIDE_HINT: &str = "Drag a handle to the end. With a keyboard: hold the right arrow key.";
pub const SIREN_HINT: &str = "The siren alone calls nobody.";
pub const MORE_HELP: &str = "Ask for more help";
pub const SILENCE: &str = "Silence the siren";
pub const CLOSE: &str = "Close";
pub const SHOW: &str = "Show";

pub const PIN_TITLE: &str = "Enter the PIN";
pub const PIN_WHY: &str = "This browser shows the hub, and can ask for help once it knows the PIN.";
pub const PIN_LABEL: &str = "PIN";
pub const PIN_ENTER: &str = "Unlock";
pub const PIN_FIRST: &str =
    "This browser does not know the PIN: enter it first. To get help now, call the emergency number.";
pub const NO_PIN_FILE: &str = "This panel can only show: it has no PIN. Set panel.pin_file in hub.toml and restart the hub. To get help now, call \
     the emergency number.";
pub const WRONG_PIN: &str = "That is not the PIN.";
pub const TRY_AGAIN: &str = "That did not work. Try again in a moment.";

pub const RECENT: &str = "Recent incidents";
pub const READINESS: &str = "Readiness";
pub const ALL_HISTORY: &str = "All incidents";
pub const HISTORY_INTRO: &str = "What was asked for, and what became of it, newest first.";
pub const LIVE_EMPTY: &str = "No camera is set up. Add one to hub.toml, under [[camera]], and restart the hub.";
pub const FULL_SCREEN: &str = "Full screen";
pub const PLAY: &str = "Play";
pub const UNSUPPORTED: &str =
    "Browsers do not speak this camera's protocol. Give its http stream (MJPEG or HLS), if it has one, in hub.toml.";

pub const OBSTACLES: &str = "What is wrong, and how to mend it";
pub const TESTS: &str = "Tests";
pub const TESTS_INTRO: &str = "Try these while nobody needs help. No one is sent out by them.";
pub const TEST_SIREN: &str = "Test the siren for two seconds";
pub const TEST_CENTER: &str = "Test the way to the monitoring center";
pub const THIS_PANEL: &str = "This panel";
pub const LOCK: &str = "Forget the PIN on this browser";
pub const CERTIFICATE: &str = "Fingerprint of the certificate (SHA-256)";
pub const CERTIFICATE_HINT: &str = "A browser that warns of the certificate shows its fingerprint. If it is this one, the browser really talks to the hub.";

pub const NOT_FOUND: &str = "There is no such page";
pub const TO_HOME: &str = "To the first page";
pub const NO_SUCH_PAGE: &str = "There is nothing here.";
pub const TOO_MANY_PAGES: &str = "Too many pages are open. Close some.";
pub const TOO_MANY_PICTURES: &str = "Too many pictures are on their way. Close some pages.";
pub const TOO_MANY_COMMANDS: &str =
    "The hub is being asked too much at once. Try again. To get help now, call the emergency number.";
pub const STALE: &str = "This was asked for long ago and came late, so the hub has not done it. Ask again if it is still meant. To \
     get help now, call the emergency number.";
pub const NO_REPLY: &str =
    "The hub has not answered, and it is not known whether it heard. To get help, call the emergency number.";

/// How long to wait after wrong PINs.
pub fn slowed(seconds: u64) -> String {
    format!("Too many wrong PINs. Try again in {seconds} s.")
}

/// What the scripts say, by their own keys.
pub const SCRIPT: &[(&str, &str)] = &[
    ("lost", LOST),
    ("lostAdvice", LOST_ADVICE),
    ("connecting", CONNECTING),
    ("noReply", NO_REPLY),
    ("tryAgain", TRY_AGAIN),
    ("sending", "Asking the hub…"),
    (
        "tryingAgain",
        "The hub has not answered yet. This page goes on trying for ten seconds. To get help now, call the emergency number.",
    ),
    ("unsure", "Without the hub it is not known whether this still counts down. Cancel may still be in time."),
    ("unsureReply", "If it still counts down, Cancel can stop it."),
    ("silence", SILENCE),
    ("tapAgain", "Too early: tap again."),
    ("service.police", "Police"),
    ("service.fire", "Fire department"),
    ("service.siren", "Siren only"),
    ("stage.countdown", "Countdown"),
    ("stage.aborted", "Cancelled"),
    ("stage.sounding", "Siren on"),
    ("stage.requested", "Requesting"),
    ("stage.acknowledged", "Monitoring center has it"),
    ("stage.calling_first_contact", "Calling first contact"),
    ("stage.confirmed", "Confirmed"),
    ("stage.cancelled_by_contact", "Cancelled by contact"),
    ("stage.no_answer", "No answer"),
    ("stage.dispatched", "Dispatched"),
    ("stage.calling_other_contacts", "Calling other contacts"),
    ("stage.refused_by_center", "Refused by the center"),
    ("stage.closed", "Closed"),
    ("cancel", "Cancel"),
    ("secondsLeft", "seconds left to cancel"),
    ("secondLeft", "second left to cancel"),
    ("resumed", "The hub was restarted: the countdown started again."),
    ("ready", "All is ready"),
    ("readyText", "Help can be asked for at any time."),
    ("notReady", "Not ready"),
    ("countdown", "Help is about to be requested"),
    ("alarm", "Alarm"),
    ("cannotAsk", "The hub refuses every SOS now, the siren alone too. To get help, call the emergency number."),
    ("plan.active", "Professional monitoring is active"),
    ("plan.unconfirmed", "Professional monitoring was not confirmed lately"),
    ("plan.denied", "The plan has no professional monitoring"),
    ("plan.unknown", "There is no plan from the monitoring center yet"),
    ("center.up", "Connected to the monitoring center"),
    ("center.down", "No connection to the monitoring center"),
    ("clock.synced", "The clock is right"),
    ("clock.unsynced", "The clock is not set: times may be wrong"),
    ("noFaults", "Nothing is wrong."),
    ("since", "Since"),
    ("noHistory", "Nothing has happened yet."),
    ("historyFailed", "The history cannot be read now."),
    ("pinForThis", "Enter the PIN on the first page to see this."),
    ("open", "Open"),
    ("clockUnset", "(the clock was not set)"),
    ("cameraAway", "No picture from this camera."),
    ("cameraHeld", "Paused while help is asked for."),
    ("cameraTriesAgain", "Trying again…"),
    (
        "mend.storage",
        "Check the disk or SD card of the hub: replace it if it is full of errors, make room if it is full.",
    ),
    ("mend.storage_put_aside", "Nothing has to be done now. If it comes again, replace the SD card."),
    ("mend.siren", "Check siren.line in hub.toml and that no other program uses the line."),
    ("mend.led", "Check led.line in hub.toml and that no other program uses the line."),
    ("mend.button_lines", "Check the [[button]] lines in hub.toml and that no other program uses them."),
    ("mend.button_stuck", "Release the button. If it is not pressed, check its wiring."),
    ("mend.button_noisy", "Check the button's wiring and its pull-up."),
    ("mend.app_link", "Check that mosquitto runs on the hub (systemctl status mosquitto) and [app] in hub.toml."),
    ("mend.panel", "Stop the other program on this port, or set another panel.listen in hub.toml."),
    ("mend.center_link", "Check the hub's internet connection and [center] in hub.toml."),
    ("mend.center_silent", "Wait a minute. If it stays, call the monitoring center."),
    ("mend.center_refused", "Call the monitoring center."),
    ("mend.alarm_unconfirmed", "Call the emergency number."),
    ("mend.center_message", "If it comes again, tell the monitoring center."),
    ("mend.identity_clash", "Stop the other hub or program that uses this hub's name or account."),
    ("mend.id_reused", "Tell whoever made the app: each command needs an id of its own."),
    ("mend.not_provisioned", "Ask the monitoring center for its plan.jwt, or wait for its first message."),
    ("mend.plan_denied", "Order a plan with professional monitoring from the monitoring center."),
    ("mend.plan_unconfirmed", "Check the connection to the monitoring center; an SOS works."),
    ("mend.plan_incomplete", "Tell the monitoring center what is missing."),
    ("mend.plan_rejected", "If it comes again, tell the monitoring center."),
];
