/// The explanation of a code: what it means, a line that gives it, and the cure. Shown by `help E021`.
package struct DiagnosticPage: Sendable {
    package let title: String
    package let meaning: String
    package let example: String
    package let cure: String

    package init(_ title: String, _ meaning: String, example: String, cure: String) {
        self.title = title
        self.meaning = meaning
        self.example = example
        self.cure = cure
    }
}

extension DiagnosticCode {
    /// The page as plain text.
    package var explanation: String {
        """
        \(rawValue): \(page.title)

        \(page.meaning)

        An example that gives it:
            \(page.example.replacingLineBreaks(with: "\n    "))

        The cure: \(page.cure)
        """
    }

    package var page: DiagnosticPage {
        switch self {
        case .unexpectedCharacter, .unterminatedString, .unknownEscape, .invalidNumber, .unclosedBracket,
            .unmatchedBracket,
            .expectedExpression, .expectedCommand, .unexpectedToken, .spacedArithmetic, .comparisonChain,
            .verbAsName, .verbAsValue,
            .previousInFile, .nestingTooDeep, .missingBlock, .malformedStatement, .definitionShadowsVerb,
            .recursiveDefinition:
            syntaxPage
        case .unknownVerb, .unknownOption, .missingArgument, .tooManyArguments, .repeatedName, .wrongType,
            .outOfRange, .unknownChoice,
            .unknownName, .unknownFunction, .missingInput, .missingColumn, .columnExists, .wrongInput,
            .unknownField, .indexOutside,
            .missingModel, .unsupportedFeature, .unquotedName:
            bindingPage
        default:
            runPage
        }
    }
}

extension String {
    fileprivate func replacingLineBreaks(with replacement: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
