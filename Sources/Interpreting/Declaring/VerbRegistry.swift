import Syntax

/// The verbs that a session knows.
package struct VerbRegistry: Sendable {
    private let byName: [String: VerbDeclaration]
    /// In the order in which they were declared, which is the order of the help page.
    package let all: [VerbDeclaration]
    /// The reserved words that they make. Kept: a parser takes them for each cell.
    let words: VerbSet

    package init(_ declarations: [VerbDeclaration]) {
        all = declarations
        words = VerbSet(
            plain: declarations.filter { !$0.hasBlock }.map(\.name),
            withBlock: declarations.filter(\.hasBlock).map(\.name))
        byName = Dictionary(declarations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(name: String) -> VerbDeclaration? { byName[name] }
    package var names: [String] { all.map(\.name) }
    /// The verbs that have an option of that name.
    package func owners(of option: String) -> [String] {
        all.filter { $0.named.contains { $0.name == option } }.map(\.name)
    }
}
