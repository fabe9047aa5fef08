import ArgumentParser
internal import CProcessor
import Files
import Kernels
import Rendering

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

StandardFile.prepare()
FileGate.closeElsewhere()
// Ctrl-\ ends the program as it ends others; the runtime would take it for a crash, with a back trace.
signal(SIGQUIT, SIG_DFL)
OutOfMemory.tellBeforeTheEnd()

// The engine is compiled for 256-bit vectors; without them the first kernel would end the process with
// SIGILL.
guard nb_processor_has_vectors() == 1 else {
    StandardFile.write(
        "noisebook: this processor lacks AVX2, FMA or F16C, which the engine is compiled for\n",
        to: STDERR_FILENO)
    exit(2)
}
if let kernels = KernelChoice.unknownRequest {
    let known = KernelChoice.allCases.map(\.rawValue).joined(separator: ", ")
    StandardFile.write(
        "noisebook: NOISEBOOK_KERNELS is `\(kernels)`; known kernels: \(known)\n", to: STDERR_FILENO)
    exit(64)
}

// These commands are told apart here and not as subcommands of one, so that `noisebook help noise` can be
// about the language and the prompt can take options of its own.
let commands: [String: any ParsableCommand.Type] = [
    "run": RunCommand.self, "check": CheckCommand.self, "plan": PlanCommand.self,
    "verify": VerifyCommand.self, "status": StatusCommand.self,
    "render": RenderCommand.self, "accept": AcceptCommand.self, "help": HelpCommand.self,
]
let (name, arguments) = CommandName.found(in: Array(CommandLine.arguments.dropFirst()), among: commands.keys)
let command = name.flatMap { commands[$0] } ?? PromptCommand.self
// These have more to do than to show what they find: files to write, a status to tell.
let finishing: Set<String> = ["check", "plan", "verify", "status", "render", "accept"]
if name.map(finishing.contains) ?? false || (name == "run" && arguments.contains("--write")) {
    StandardFile.whenNobodyReads(.goOn)
}
CommandRun.run(command, arguments)
