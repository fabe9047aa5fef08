import Interpreting

/// All verbs of the language: the only place where it meets the engine.
package enum Verbs {
    package static let registry = VerbRegistry(
        FileVerbs.all + TableVerbs.all + ControlVerbs.all + LookingVerbs.all + [HelpVerb.help])
}
