import Interpreting
import Locations

/// All verbs of the language: the only place where it meets the engine.
package enum Verbs {
    package static let registry = VerbRegistry(
        [LoadVerb.load, DatasetVerb.dataset, RetrieveVerb.retrieve] + FileVerbs.all + [
            EncodeVerb.encode, EncodeVerb.decode,
        ] + NoiseVerb.all
            + [DenoiseVerb.denoise] + PredictVerb.all + [NewVerb.new] + FitVerb.all + TableVerbs.all + [
                ScoreVerb.score, CompareVerb.compare,
            ] + ControlVerbs.all
            + [ClaimVerb.claim]
            + BenchVerbs.all + LookingVerbs.all + [HelpVerb.help])

    /// Folders that models are found in by their names.
    package static var modelFolders: [String] {
        LoadVerb.shipped() + [Locations.userModels, Locations.huggingFaceHub]
    }
}
