import Results
import Syntax

/// What became of a claim: its condition asked of the values, and of every bootstrap replicate of the
/// measures in it.
package struct Verdict: Sendable, Equatable {
    package enum Outcome: String, Sendable {
        case supported, contradicted, undecided
    }

    package let outcome: Outcome
    /// Of how many replicates the condition holds, 0...1; nil where there was nothing to resample or
    /// something was missing.
    package let share: Double?
    /// Whether a value was missing that the condition needs.
    package let isMissing: Bool

    /// At least 95 % of the replicates support a claim, at most 5 % contradict it.
    init(holding count: Int) {
        let share = Double(count) / Double(Measure.replicateCount)
        self.share = share
        outcome = share >= 0.95 ? .supported : share <= 0.05 ? .contradicted : .undecided
        isMissing = false
    }

    /// Of a condition without measures.
    init(holds: Bool) { (outcome, share, isMissing) = (holds ? .supported : .contradicted, nil, false) }

    private init() { (outcome, share, isMissing) = (.undecided, nil, true) }

    static let missing = Verdict()
}

/// The state of asking a claim's condition again and again.
final class ClaimTurns {
    /// Which replicate stands for the measures; nil for their values.
    var replicate: Int?
    /// Whether a measure with replicates was among the operands.
    var sawMeasure = false
    /// Pipelines in the condition run once.
    var pipelines: [Int: Value] = [:]

    /// A measure as the number of this turn.
    func drawn(_ value: Value) -> Value {
        switch value {
        case .measure(let measure):
            guard measure.hasInterval else { return .number(measure.value) }
            sawMeasure = true
            guard let replicate else { return .number(measure.value) }
            return .number(
                replicate < measure.replicates.count ? measure.replicates[replicate] : measure.value)
        case .list(let values): return .list(values.map(drawn))
        default: return value
        }
    }
}

extension Evaluator {
    /// The verdict on a condition.
    func verdict(on condition: Expression) throws -> Verdict {
        var asking = self
        let turns = ClaimTurns()
        asking.turns = turns
        func holds() throws -> Bool? {
            let value = try asking.evaluate(condition)
            return value.isNone ? nil : try located(condition.span) { try Arithmetic.truth(value) }
        }
        guard let value = try holds() else { return .missing }
        guard turns.sawMeasure else { return Verdict(holds: value) }
        var count = 0
        for replicate in 0..<Measure.replicateCount {
            turns.replicate = replicate
            guard let holds = try holds() else { return .missing }
            if holds { count += 1 }
        }
        return Verdict(holding: count)
    }
}
