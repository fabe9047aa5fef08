/// Every code that an error or warning of the language can have. E0xx are errors, W0xx warnings.
/// `page` says what a code means, shows a line that gives it, and the cure: the text of `help E021`.
package enum DiagnosticCode: String, Sendable, CaseIterable {
    // Letters and words
    case unexpectedCharacter = "E001"
    case unterminatedString = "E002"
    case unknownEscape = "E003"
    case invalidNumber = "E004"
    case unclosedBracket = "E005"
    case unmatchedBracket = "E006"
    // Sentences
    case expectedExpression = "E007"
    case expectedCommand = "E008"
    case unexpectedToken = "E009"
    case spacedArithmetic = "E010"
    case comparisonChain = "E011"
    case verbAsName = "E012"
    case verbAsValue = "E013"
    case previousInFile = "E014"
    case nestingTooDeep = "E015"
    case missingBlock = "E016"
    case malformedStatement = "E017"
    case definitionShadowsVerb = "E018"
    case recursiveDefinition = "E019"
    // Verbs and their arguments
    case unknownVerb = "E020"
    case unknownOption = "E021"
    case missingArgument = "E022"
    case tooManyArguments = "E023"
    case repeatedName = "E024"
    case wrongType = "E025"
    case outOfRange = "E026"
    case unknownChoice = "E027"
    // Names and columns
    case unknownName = "E028"
    case unknownFunction = "E029"
    case missingInput = "E030"
    case missingColumn = "E031"
    case columnExists = "E032"
    case wrongInput = "E033"
    case unknownField = "E034"
    case indexOutside = "E035"
    case missingModel = "E036"
    case unsupportedFeature = "E037"
    case unquotedName = "E038"
    // Values
    case wrongOperands = "E040"
    case differentLengths = "E041"
    case noStepsLeft = "E043"
    case latentWithoutSchedule = "E044"
    case otherModel = "E045"
    case partialValue = "E046"
    case emptyTable = "E047"
    // The engine, one for each kind of its errors
    case engineFile = "E050"
    case engineFormat = "E051"
    case engineWeights = "E052"
    case engineConfiguration = "E053"
    case engineUnsupported = "E054"
    case engineShape = "E055"
    case engineText = "E056"
    case engineSchedule = "E057"
    case engineData = "E058"
    case engineMemory = "E059"
    case engineTraining = "E048"
    case engineNumbers = "E049"
    case interrupted = "E060"
    case notReadable = "E061"
    case notWritable = "E062"
    // Runs and notebooks
    case expectationFailed = "E070"
    case paramOutside = "E072"
    case expectedFailure = "E075"
    // Warnings
    case promptTooLong = "W001"
    case latentOfOtherModel = "W002"
    case fewPictures = "W004"
    case separateStatement = "W005"
    case sharedSeeds = "W006"
    case unusedWeights = "W008"
    case almostCell = "W010"
    case orphanOutput = "W011"

    package var severity: Diagnostic.Severity { rawValue.hasPrefix("W") ? .warning : .error }

    /// Whether it says that something is not there, which may be there at another time or on another machine.
    package var isMissingFile: Bool { self == .engineFile || self == .engineData }

    /// A code as a person may type it: `E021`, `e021`, `E21`, `21`.
    package init?(typed: String) {
        let upper = typed.uppercased()
        let isWarning = upper.hasPrefix("W")
        let digits = upper.hasPrefix("E") || isWarning ? upper.dropFirst() : upper[...]
        guard !digits.isEmpty, digits.count <= 3, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return nil
        }
        self.init(
            rawValue: (isWarning ? "W" : "E") + String(repeating: "0", count: 3 - digits.count) + digits)
    }

    /// What the code means in general; a diagnostic usually says it with the names at hand.
    package var title: String { page.title }
}
