/// How much the check before running may compute. What is beyond is unknown to the check, and no error: a
/// short program could otherwise keep it busy for long, and the check of a stranger's notebook is what
/// somebody does before trusting it.
final class CheckBudget {
    /// Thrown where nothing is left.
    struct Spent: Error {}

    /// About half a second.
    private static let units = 4_000_000
    /// Of one text.
    private static let mostBytes = 1 << 20
    /// Of a value that the check goes on with.
    static let mostElements = 10_000
    static let mostLevels = 16

    private var left = CheckBudget.units

    /// A unit is a value, a part of an expression, or 64 bytes.
    func charge(_ units: Int) throws {
        left -= min(units, left + 1)
        if left < 0 { throw Spent() }
    }

    func charge(text bytes: Int) throws {
        guard bytes <= Self.mostBytes else { throw Spent() }
        try charge(bytes / 64)
    }
}
