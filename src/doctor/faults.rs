//! What to do about each fault that a hub can have.

/// One sentence for a person; `None`: no such code.
pub fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "storage" => "Look at the disk: free space, a file system that became read-only (dmesg), a worn SD card.",
        "storage_put_aside" => {
            "Look at the history; then check the SD card and the power supply, and remove hub.db.corrupt-* when it is not \
             needed."
        }
        "siren" => "Check siren.line and gpio.backend, the group gpio, and whether another program uses the line.",
        "led" => "Check led.line and whether another program uses the line.",
        "button_lines" => "Check the lines of the buttons, the group gpio, and whether another program uses a line.",
        "button_stuck" => "Let the button go; if nobody holds it, check its wire for a short and active_low.",
        "button_noisy" => {
            "Add a pull-up of 10 kΩ to 3.3 V, shorten or shield the cable, and keep it from mains cables."
        }
        "app_link" => {
            "Check that the home's broker runs, its host and port in [app], and user and password on both sides."
        }
        "panel" => "Choose another port in panel.listen, or end the program that has it.",
        "center_link" => {
            "Check the internet connection, then host, port and ca_file in [center], and what the center gave out: user and \
             password, or client_cert_file (center-client.pem) and client_key_file."
        }
        "center_silent" => {
            "Ask the monitoring center whether it runs; until it answers, call the emergency number instead."
        }
        "center_refused" => "Ask the monitoring center about this account.",
        "alarm_unconfirmed" => "Call the emergency number; then check the way to the monitoring center.",
        "center_message" => "Ask the monitoring center; somebody else may be writing on its broker.",
        "identity_clash" => "Find the second hub or program with this hub's id or account, and end it or rename it.",
        "id_reused" => "Mend the app that sends one id for two different commands.",
        "not_provisioned" => {
            "Put the center's plan.jwt into the state directory and restart the hub: sudo sos-hub setup."
        }
        "plan_denied" => "Ask the monitoring center for a plan with professional monitoring.",
        "plan_unconfirmed" => "Check the clock and the connection to the monitoring center; ask it to renew the plan.",
        "plan_incomplete" => "Tell the monitoring center what it lacks.",
        "plan_rejected" => "Ask the monitoring center; somebody else may be writing on its broker.",
        _ => return None,
    })
}
