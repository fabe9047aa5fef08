// readline's state is C globals and callbacks; Swift 6 cannot touch such globals directly, so accessors stand here.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <readline/readline.h>
#include <readline/history.h>

// Signals and window changes are the editor's own business: readline must not install handlers.
static inline void nb_readline_prepare(const char *name) {
    rl_readline_name = name;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_completion_query_items = 200;
    rl_completer_word_break_characters = " \t\n\"|;{}()[],=";
    rl_basic_quote_characters = "";
    rl_completer_quote_characters = "";
    using_history();
}

static inline void nb_readline_set_completion(rl_completion_func_t *function) { rl_attempted_completion_function = function; }
static inline void nb_readline_set_display(rl_compdisp_func_t *function) { rl_completion_display_matches_hook = function; }
static inline const char *nb_readline_line(void) { return rl_line_buffer ? rl_line_buffer : ""; }
static inline int nb_readline_point(void) { return rl_point; }

// The completion is complete as it stands: do not fall back to file names, and put `append` behind a single match (0: nothing).
static inline void nb_readline_completion_done(int append) {
    rl_attempted_completion_over = 1;
    rl_completion_append_character = append;
    rl_completion_suppress_append = append == 0;
    rl_sort_completion_matches = 1;
}
static inline void nb_readline_redisplay(void) { rl_forced_update_display(); }

// Takes the terminal back from a line that is given up; the line is lost.
static inline void nb_readline_abandon(void) {
    rl_echo_signal_char(SIGINT);
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_callback_handler_remove();
    fputs("\n", rl_outstream ? rl_outstream : stdout);
    fflush(rl_outstream ? rl_outstream : stdout);
}
static inline void nb_readline_release_terminal(void) { if (rl_deprep_term_function) rl_deprep_term_function(); }
static inline void nb_readline_take_terminal(void) { if (rl_prep_term_function) rl_prep_term_function(1); }
static inline void nb_readline_print(const char *text) {
    FILE *out = rl_outstream ? rl_outstream : stdout;
    fputs(text, out);
    fflush(out);
}
