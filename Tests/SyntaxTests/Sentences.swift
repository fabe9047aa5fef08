/// Random programs that follow the grammar, with random white space where the grammar allows it.
struct Sentences {
    var random: FuzzTests.Random

    private mutating func pick(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }
    private mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &random) }
    private mutating func many(
        _ range: ClosedRange<Int>, _ separator: String, _ make: (inout Sentences) -> String
    ) -> String {
        (0..<Int.random(in: range, using: &random)).map { _ in make(&self) }.joined(separator: separator)
    }

    /// White space within a line, or none.
    private mutating func gap() -> String { pick(["", "", " ", "  ", "\t"]) }
    /// White space within brackets.
    private mutating func wide() -> String { pick(["", "", " ", "\n", " # c )\n", "\\\n"]) }
    private mutating func name() -> String {
        pick(["a", "b1", "fid", "größe", "e\u{301}", "_x", "in", "eps"])
    }

    func program() -> String {
        var copy = self
        return copy.many(1...4, pickSeparator()) { $0.statement(3) } + "\n"
    }

    private func pickSeparator() -> String {
        var copy = self
        return copy.pick(["\n", ";", " ; ", "\n# comment\n\n", "\r\n"])
    }

    private mutating func statement(_ depth: Int) -> String {
        switch roll(8) {
        case 0, 1: name() + gap() + "=" + gap() + pipeline(depth)
        case 2:
            "param " + name() + gap() + "=" + gap() + many(1...2, ",") { $0.expression(depth - 1) }
                + (roll(2) == 0 ? "" : " in 0..(30)")
        case 3:
            "def " + pick(["f", "g2"]) + " "
                + many(0...2, " ") { $0.pick(["p", "q", "r"]) + "\($0.roll(1000))" } + " " + block(depth - 1)
        default: pipeline(depth)
        }
    }

    private mutating func block(_ depth: Int) -> String {
        depth <= 0
            ? "{}"
            : "{" + wide() + many(0...2, pick([";", "\n", "\n\n"])) { $0.statement(depth - 1) } + wide() + "}"
    }

    private mutating func pipeline(_ depth: Int) -> String {
        let head = roll(2) == 0 ? command(depth) : many(1...2, gap() + "," + wide()) { $0.expression(depth) }
        let bar = pick([" | ", "|", "\n  | ", " |\n", "\n# c\n\n| "])
        return head + (0..<roll(3)).map { _ in bar + command(depth) }.joined()
    }

    private mutating func command(_ depth: Int) -> String {
        if depth > 0, roll(5) == 0 {
            return pick(["each", "loop", "sweep"]) + arguments(depth) + gap() + block(depth - 1)
        }
        return pick(["noise", "with", "table", "first", "read"]) + arguments(depth)
    }

    private mutating func arguments(_ depth: Int) -> String {
        (0..<roll(4)).map { _ in
            " " + gap() + (roll(2) == 0 ? "" : pick(["of", "step", "k", "größe"]) + gap() + "=" + gap())
                + many(1...2, pick([",", ", ", " ,", ",\n"])) { $0.run(depth) }
        }.joined()
    }

    /// One item of an argument: no spaces outside brackets.
    private mutating func run(_ depth: Int) -> String {
        switch roll(5) {
        case 0:
            return pick([
                "models/x-1", "a.csv", "k/2", "-3", "20..60:10", "near.text", ".step", "pictures[3]",
                "x*(1 +\n 2)", "1.50", "not(a)", "-a^2",
            ])
        case 1: return pick(["\"text\"", "\"a # b | {\"", "\"\\(k + 1)\\u{41}\\\"\"", "\"\""])
        default: return "(" + wide() + expression(depth - 1) + wide() + ")"
        }
    }

    private mutating func expression(_ depth: Int) -> String {
        guard depth > 0 else {
            return pick(["1", "0.50", "1e-4", "yes", "none", ".step", "\"s\"", "a", "fid"])
        }
        let part = depth - 1
        switch roll(12) {
        case 0: return "(" + wide() + pipeline(part) + wide() + ")"
        case 1: return "[" + wide() + many(1...3, ", ") { $0.expression(part) } + pick(["", ","]) + "]"
        case 2: return "{a:" + gap() + expression(part) + pick(["", ", step: 3"]) + wide() + "}"
        case 3: return name() + "[" + expression(part) + "]." + pick(["x", "step", "value"])
        case 4:
            return pick(["max", "if"]) + "(" + many(0...3, wide() + "," + gap()) { $0.expression(part) } + ")"
        case 5: return "\"a \\(" + expression(0) + ") b\""
        case 6: return "-" + expression(0)
        case 7: return "(not " + expression(part) + ")"
        case 8: return "(" + expression(0) + ".." + expression(0) + pick([":1", ""]) + ")"
        default:
            let operation = pick(["+", "-", "*", "/", "%", "^", "and", "or"])
            return expression(part) + " " + operation + " " + expression(0)
        }
    }
}
