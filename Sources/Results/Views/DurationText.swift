/// How long something takes, in words.
package enum DurationText {
    /// For a count down: "45 s", "1:10", "2 h 5 min".
    package static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 360_000 else { return "long" }
        let whole = Int(seconds.rounded(.up))
        if whole < 60 { return "\(whole) s" }
        let rest = whole % 60
        if whole < 3600 { return "\(whole / 60):\(rest < 10 ? "0" : "")\(rest)" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// For an estimate: "40 s", "12 min", "2.5 h".
    package static func estimate(_ seconds: Double) -> String {
        switch max(0, seconds) {
        case ..<100: "\(max(1, Int(seconds.rounded(.up)))) s"
        case ..<6_000: "\(Int((seconds / 60).rounded(.up))) min"
        default: NumberFormat.fixed(decimals: 1)(seconds / 3_600) + " h"
        }
    }
}
