internal import CProcessor
import Kernels
import Rendering

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

// The engine is compiled for 256-bit vectors; without them the first kernel would end the process with SIGILL.
guard nb_processor_has_vectors() == 1 else {
    StandardFile.write("noisebook: this processor lacks AVX2, FMA or F16C, which the engine is compiled for\n", to: STDERR_FILENO)
    exit(2)
}
if let kernels = KernelChoice.unknownRequest {
    let known = KernelChoice.allCases.map(\.rawValue).joined(separator: ", ")
    StandardFile.write("noisebook: NOISEBOOK_KERNELS is `\(kernels)`; known kernels: \(known)\n", to: STDERR_FILENO)
    exit(64)
}

// These commands are told apart here and not as subcommands of one, so that `noisebook help noise` can be about the language and
// the prompt can take options of its own.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "run": RunCommand.main(Array(arguments.dropFirst()))
case "check": CheckCommand.main(Array(arguments.dropFirst()))
case "plan": PlanCommand.main(Array(arguments.dropFirst()))
case "verify": VerifyCommand.main(Array(arguments.dropFirst()))
case "status": StatusCommand.main(Array(arguments.dropFirst()))
case "render": RenderCommand.main(Array(arguments.dropFirst()))
case "accept": AcceptCommand.main(Array(arguments.dropFirst()))
case "help": HelpCommand.main(Array(arguments.dropFirst()))
default: PromptCommand.main(arguments)
}
