// Pages of the codes that the parser gives.

extension DiagnosticCode {
    var syntaxPage: DiagnosticPage {
        switch self {
        case .unexpectedCharacter:
            DiagnosticPage(
                "unexpected character",
                """
                A character that means nothing in the language stands where a value, a name or an \
                operator was expected.
                """,
                example: "x = 3 $ 4", cure: "take it out, or put text in double quotes.")
        case .unterminatedString:
            DiagnosticPage(
                "the string has no end",
                "A string begins with a double quote and ends with one on the same line.",
                example: "a = \"a purple beetle",
                cure: "close the quote; write a line break inside a string as \\n.")
        case .unknownEscape:
            DiagnosticPage(
                "unknown escape in a string",
                """
                After a backslash a string takes n, t, r, ", \\, u{...} with a hexadecimal number, or \
                (...) with an expression.
                """,
                example: "a = \"50\\% of it\"", cure: "write a backslash itself as two backslashes.")
        case .invalidNumber:
            DiagnosticPage(
                "not a number",
                """
                A number has digits, perhaps a point followed by digits, perhaps an exponent, and \
                nothing directly behind it; it must fit a 64-bit float.
                """,
                example: "x = 70steps", cure: "write 70, 0.5, 1e-4; put text in double quotes.")
        case .unclosedBracket:
            DiagnosticPage(
                "the bracket is not closed", "Each ( [ and { needs its partner.",
                example: "x = (1 + 2", cure: "add the closing bracket.")
        case .unmatchedBracket:
            DiagnosticPage(
                "nothing opens this bracket",
                "A closing bracket stands where none is open, or where another kind is open.",
                example: "x = 1 + 2)", cure: "remove it, or add the opening bracket.")
        case .expectedExpression:
            DiagnosticPage(
                "expected a value", "A number, a string, a name or a bracket should follow here.",
                example: "x = 3 +", cure: "complete the line.")
        case .expectedCommand:
            DiagnosticPage(
                "expected a verb",
                """
                After | comes a verb with its arguments; a line that begins with | needs something above \
                to continue.
                """,
                example: "a | \"text\"", cure: "write a verb after the |; `help` lists them.")
        case .unexpectedToken:
            DiagnosticPage(
                "unexpected text", "The statement is complete before this point, but the line goes on.",
                example: "x = 3 4",
                cure: """
                    join values with commas, begin a new line or write ; for a new statement, | for the next \
                    command.
                    """)
        case .spacedArithmetic:
            DiagnosticPage(
                "arithmetic inside a command needs brackets",
                "In a command spaces separate arguments, so `noise k + 5` has three.",
                example: "pictures | noise k + 5 of=70", cure: "write `(k + 5)`, or `k+5` without spaces.")
        case .comparisonChain:
            DiagnosticPage(
                "comparisons do not chain", "`a < b < c` would compare a truth value with c.",
                example: "x = 1 < 2 < 3", cure: "write `a < b and b < c`.")
        case .verbAsName:
            DiagnosticPage(
                "the name is taken",
                """
                Verbs and words of the language (yes, no, none, and, or, not, param, def) are reserved: \
                the meaning of a line never depends on which variables exist.
                """,
                example: "noise = 3", cure: "choose another name, such as `my_noise`.")
        case .verbAsValue:
            DiagnosticPage(
                "a verb stands where a value is expected",
                """
                Verbs are reserved words. A column with the name of a verb is written with a point \
                before it.
                """,
                example: "runs | where (step < 6)",
                cure: "write `.step` for the column; write `(step)` in brackets for what the command gives.")
        case .previousInFile:
            DiagnosticPage(
                "`_` means something only at the prompt",
                """
                `_`, `_1` and `_2` are the last values shown at the prompt. A file is read from top to \
                bottom by others, so it gives them names.
                """,
                example: "_ | decode", cure: "assign the value to a name and use the name.")
        case .nestingTooDeep:
            DiagnosticPage(
                "nested too deeply",
                """
                Brackets, blocks, signs or operators are nested in more than 64 levels, or an expression \
                has more than 200.
                """,
                example: "x = ((((((((((... 65 times", cure: "give parts of it names in lines of their own.")
        case .missingBlock:
            DiagnosticPage(
                "a block is missing",
                "Verbs such as sweep, each, loop, bench and time work on a block in braces.",
                example: "sweep k=20..60:10",
                cure: "add the block: `sweep k=20..60:10 { test | noise k of=70 }`.")
        case .malformedStatement:
            DiagnosticPage(
                "the statement is not complete",
                "`param NAME = VALUES [in RANGE]` and `def NAME ARGUMENTS { ... }` have a fixed form.",
                example: "param guidance",
                cure: "`param guidance = 7.5 in 0..30`, `def finish g { denoise guidance=g | decode }`.")
        case .definitionShadowsVerb:
            DiagnosticPage(
                "a definition cannot take a verb's name", "What a verb means is the same in every notebook.",
                example: "def noise k { it }", cure: "choose another name.")
        case .recursiveDefinition:
            DiagnosticPage(
                "a definition cannot use itself",
                "A `def` acts on the text below it; inside its own block its name is not known yet.",
                example: "def again { again }", cure: "use `loop`, `each` or `sweep` for repetition.")
        default: preconditionFailure("no syntax page for \(rawValue)")
        }
    }
}
