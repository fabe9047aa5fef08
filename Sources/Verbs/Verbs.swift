import Interpreting

/// All verbs of the language: the only place where it meets the engine.
package enum Verbs {
    package static let registry = VerbRegistry(
        [LoadVerb.load, DatasetVerb.dataset, RetrieveVerb.retrieve] + FileVerbs.all + EncodeVerb.all + NoiseVerb.all + [DenoiseVerb.denoise] + PredictVerb.all + TableVerbs.all + ControlVerbs.all + BenchVerbs.all + LookingVerbs.all + [HelpVerb.help])
}
