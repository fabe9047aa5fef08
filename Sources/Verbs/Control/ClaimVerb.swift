import Interpreting
import Results

/// `claim`: a sentence and whether the measures support it.
enum ClaimVerb {
    private static let sentence = Slot("sentence", .text, required: .positional, "what is claimed")
    private static let condition = Slot("condition", .verdict, required: .positional, "what must hold for it")

    static let claim = VerbDeclaration(
        "claim", .control, "Records whether measures support a sentence; it never fails.", input: .none,
        slots: [sentence, condition],
        notes: [
            """
            The condition is asked of each of the 1,000 bootstrap replicates: a claim is supported if it \
            holds for at least 95 % of them, contradicted if for at most 5 %, else undecided. Without \
            measures it is supported if the condition holds.
            """,
            """
            Where a value is missing, of a point that was stopped say, a claim is undecided. `expect` \
            fails the run instead.
            """,
        ],
        examples: [
            "claim \"one is less than two\" (1 < 2)",
            """
            model = load monsters; s = dataset monsters split=test | first 12 | score clip column=image; \
            claim "pictures resemble their texts" (s[0].clip > 0)
            """,
        ]
    ) { invocation in
        let verdict = invocation[condition]
        if let standIns = invocation.session.standIns, verdict.isMissing || !standIns.isExact {
            standIns.hasGap = true
            return .none
        }
        let sentence = invocation[sentence]
        let reason: String
        if verdict.isMissing {
            reason = "a value is missing"
        } else if let share = verdict.share {
            reason = """
                holds for \(NumberFormat.fixed(decimals: 1)(100 * share)) % of \(Measure.replicateCount) \
                replicates
                """
        } else {
            reason =
                verdict.outcome == .supported
                ? "it holds, without measures to resample" : "it does not hold, without measures to resample"
        }
        return .view(.text("\(verdict.outcome.rawValue): \(sentence) (\(reason))"))
    }
}
