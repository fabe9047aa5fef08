#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The variables of the environment that the program asks for: all of them, and the only place where it does.
package enum EnvironmentVariable: String, CaseIterable, Sendable {
    // Ours
    case kernels = "NOISEBOOK_KERNELS"
    case models = "NOISEBOOK_MODELS"
    case cacheLimit = "NOISEBOOK_CACHE_LIMIT"
    case cacheKey = "NOISEBOOK_CACHE_KEY"

    // Folders
    case home = "HOME"
    case temporaryFolder = "TMPDIR"
    case stateFolder = "XDG_STATE_HOME"
    case dataFolder = "XDG_DATA_HOME"
    case cacheFolder = "XDG_CACHE_HOME"
    case huggingFace = "HF_HOME"
    case huggingFaceHub = "HF_HUB_CACHE"
    /// What older versions of huggingface_hub call it; they still read it.
    case huggingFaceHubBefore = "HUGGINGFACE_HUB_CACHE"

    // The terminal and the editor
    case terminal = "TERM"
    case colour = "COLORTERM"
    case noColour = "NO_COLOR"
    case visualEditor = "VISUAL"
    case editor = "EDITOR"

    /// nil where it is not set.
    package var text: String? { getenv(rawValue).map { String(cString: $0) } }

    /// nil where it is not set or empty, which is the same for all but a few.
    package var value: String? { text.flatMap { $0.isEmpty ? nil : $0 } }
}
