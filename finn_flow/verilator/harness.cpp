// The AXI4-Stream run loop around a verilated model: one source per input, one sink per output, all in C++.
//
// A cycle is: drive TVALID/TDATA/TREADY, settle the model, note the transfers, rising edge. Cycle 0 is the first one
// after reset. Nothing here depends on the design, so this file is compiled once and linked to every model.

#include "harness.h"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace {

constexpr size_t LOG_LIMIT_BYTES = 64 * 1024;
constexpr uint8_t IDLE_DATA = 0xA5;  // driven while TVALID is low, so that logic that reads it all the same is found out

enum Status : int { DONE = 0, PAUSED = 1, HUNG = 2, FAILED = 3 };

// Mirrored by `_StreamPlan` in model.py.
struct StreamPlan {
    uint8_t* words;            // input: what to send; output: where to put it
    uint64_t word_count;
    uint64_t words_per_frame;
    uint64_t seed;
    uint64_t pause_after_run;    // probability of a pause, in 2^-32, after a cycle without one
    uint64_t pause_after_pause;  // the same after a cycle with one
    const uint8_t* pattern;      // or a repeated pattern of pauses
    uint64_t pattern_length;
    uint64_t idle_between_frames;
    uint64_t* frame_end_cycles;  // one per frame
    uint64_t* transfer_cycles;   // one per word, or null
    uint64_t top_byte_mask;      // bits of the last byte that belong to the word
};

// Mirrored by `_StreamState` in model.py.
struct StreamState {
    uint64_t transferred;
    uint64_t surplus;   // output words beyond word_count
    uint64_t stalled;   // cycles with TVALID and no TREADY
    uint64_t starved;   // cycles with TREADY and no TVALID
    uint64_t first_cycle;
    uint64_t last_cycle;
    uint64_t valid;
    uint64_t ready;
};

struct Stream {
    harness::StreamSignals signals{};
    StreamPlan plan{};
    StreamState state{};
    uint64_t random = 1;
    uint64_t in_frame = 0;
    uint64_t frames = 0;
    uint64_t next_cycle = 0;  // input: no word before this cycle
    bool pausing = false;
    bool held = false;        // input: the word at the last edge was not taken, so it stays

    void start(const StreamPlan& new_plan) {
        plan = new_plan;
        state = StreamState{};
        random = plan.seed | 1;
        in_frame = frames = next_cycle = 0;
        pausing = held = false;
    }

    bool finished() const { return state.transferred >= plan.word_count; }

    bool pause(uint64_t cycle) {
        if (plan.pattern_length) return plan.pattern[cycle % plan.pattern_length] != 0;
        if (plan.pause_after_run == 0) return false;
        random ^= random >> 12;  // xorshift64*
        random ^= random << 25;
        random ^= random >> 27;
        const uint64_t drawn = (random * 0x2545F4914F6CDD1DULL) >> 32;
        return pausing = drawn < (pausing ? plan.pause_after_pause : plan.pause_after_run);
    }

    // Counts a transfer.
    void transfer(uint64_t cycle) {
        if (state.transferred == 0) state.first_cycle = cycle;
        state.last_cycle = cycle;
        if (plan.transfer_cycles) plan.transfer_cycles[state.transferred] = cycle;
        ++state.transferred;
        if (++in_frame == plan.words_per_frame) {
            plan.frame_end_cycles[frames++] = cycle;
            in_frame = 0;
            next_cycle = cycle + 1 + plan.idle_between_frames;
        }
    }

    void idle_data() {
        std::memset(signals.data, IDLE_DATA, signals.data_bytes);
        signals.data[signals.data_bytes - 1] &= static_cast<uint8_t>(plan.top_byte_mask);
    }

    void drive_source(uint64_t cycle, uint64_t frame_limit) {
        if (held) return;
        const bool send = !finished() && cycle >= next_cycle && frames < frame_limit && !pause(cycle);
        if (send) {
            std::memcpy(signals.data, plan.words + state.transferred * signals.data_bytes, signals.data_bytes);
        } else if (*signals.valid) {
            idle_data();
        }
        *signals.valid = send;
    }

    // Returns whether a word was transferred.
    bool note_source(uint64_t cycle) {
        held = *signals.valid && !*signals.ready;
        if (*signals.valid) {
            if (*signals.ready) {
                transfer(cycle);
                return true;
            }
            ++state.stalled;
        } else if (*signals.ready && !finished()) {
            ++state.starved;
        }
        return false;
    }

    void drive_sink(uint64_t cycle, bool draining) { *signals.ready = draining || (!finished() && !pause(cycle)); }

    bool note_sink(uint64_t cycle) {
        if (finished()) {
            state.surplus += *signals.valid && *signals.ready;
            return false;
        }
        if (*signals.valid) {
            if (*signals.ready) {
                std::memcpy(plan.words + state.transferred * signals.data_bytes, signals.data, signals.data_bytes);
                transfer(cycle);
                return true;
            }
            ++state.stalled;
        } else if (*signals.ready) {
            ++state.starved;
        }
        return false;
    }
};

struct Simulation {
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<harness::Model> model;
    std::vector<Stream> inputs, outputs;
    std::vector<std::string> data_paths;  // files, and folders with a final '/'
    std::string log;
    bool failed = false;
    uint64_t cycle = 0;
    uint64_t idle_cycles = 0;
    uint64_t frames_in_flight = 0;
    double model_seconds = 0;

    bool finished() const {
        for (const Stream& stream : inputs)
            if (!stream.finished()) return false;
        for (const Stream& stream : outputs)
            if (!stream.finished()) return false;
        return true;
    }

    // Frames whose last word every output has delivered.
    uint64_t frames_done() const {
        uint64_t done = UINT64_MAX;
        for (const Stream& stream : outputs)
            if (stream.frames < done) done = stream.frames;
        return done;
    }

    void quiet() {
        for (Stream& stream : inputs) *stream.signals.valid = 0;
        for (Stream& stream : outputs) *stream.signals.ready = 0;
    }

    template <bool PROFILED> void advance(bool& moved, bool draining) {
        const uint64_t frame_limit = frames_in_flight ? frames_done() + frames_in_flight : UINT64_MAX;
        for (Stream& stream : inputs) stream.drive_source(cycle, frame_limit);
        for (Stream& stream : outputs) stream.drive_sink(cycle, draining);
        timed<PROFILED>([this] { model->settle(); });
        for (Stream& stream : inputs) moved |= stream.note_source(cycle);
        for (Stream& stream : outputs) moved |= stream.note_sink(cycle);
        timed<PROFILED>([this] { model->edge(); });
        ++cycle;
    }

    template <bool PROFILED, class F> void timed(F evaluate) {
        if constexpr (PROFILED) {
            const auto start = std::chrono::steady_clock::now();
            evaluate();
            model_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        } else {
            evaluate();
        }
    }

    template <bool PROFILED> Status run(uint64_t stop_at, uint64_t max_idle_cycles) {
        while (!finished()) {
            if (cycle >= stop_at) return PAUSED;
            bool moved = false;
            advance<PROFILED>(moved, false);
            idle_cycles = moved ? 0 : idle_cycles + 1;
            if (failed) return FAILED;
            if (idle_cycles >= max_idle_cycles) return HUNG;
        }
        return DONE;
    }
};

// The simulation that this thread is evaluating: Verilator's call-backs carry no context.
thread_local Simulation* current = nullptr;

void append_log(const char* text) {
    if (current && current->log.size() < LOG_LIMIT_BYTES) current->log += text;
}

void fail(const char* what, const char* filename, int line, const char* message) {
    if (!current) return;
    if (current->failed) return;
    current->failed = true;
    harness_printf("%s at %s:%d%s%s\n", what, filename && *filename ? filename : "?", line, *message ? ": " : "", message);
}

std::FILE* open_data(const char* name, const char* mode);

}  // namespace

extern "C" int harness_printf(const char* format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    const int length = std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append_log(text);
    return length;
}

void vl_finish(const char* filename, int line, const char*) { fail("$finish", filename, line, ""); }
void vl_stop(const char* filename, int line, const char*) { fail("$stop or $error", filename, line, ""); }
void vl_fatal(const char* filename, int line, const char*, const char* message) { fail("error", filename, line, message); }
// The runtime's own warnings are about files ($readmemh) that are missing or malformed: no good can come of going on.
void vl_warn(const char* filename, int line, const char*, const char* message) { fail("error", filename, line, message); }

// The linker sends the model's fopen calls ($readmemh, $fopen) here: relative names are looked up in the data paths, so
// that no simulation depends on the process's working directory.
extern "C" std::FILE* __real_fopen(const char* name, const char* mode);
extern "C" std::FILE* __wrap_fopen(const char* name, const char* mode) { return open_data(name, mode); }

namespace {

std::FILE* open_data(const char* name, const char* mode) {
    if (!current || mode[0] != 'r' || name[0] == '/') return __real_fopen(name, mode);
    std::string relative = name;
    while (relative.compare(0, 2, "./") == 0) relative.erase(0, 2);
    const std::string base = relative.substr(relative.rfind('/') + 1);
    for (const std::string& path : current->data_paths) {
        if (path.back() == '/') {
            if (std::FILE* file = __real_fopen((path + relative).c_str(), mode)) return file;
        } else if (path.substr(path.rfind('/') + 1) == base) {
            return __real_fopen(path.c_str(), mode);
        }
    }
    return nullptr;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

// A new simulation in reset. `random_seed` 0: registers and memories without initial value are 0, else random.
Simulation* harness_create(const char* const* data_paths, uint64_t path_count, uint64_t random_seed, const char* trace) {
    auto* simulation = new Simulation;
    current = simulation;
    simulation->data_paths.assign(data_paths, data_paths + path_count);
    simulation->context = std::make_unique<VerilatedContext>();
    simulation->context->randReset(random_seed ? 2 : 0);
    if (random_seed) simulation->context->randSeed(static_cast<int>(random_seed));
    if (trace) simulation->context->traceEverOn(true);
    simulation->model.reset(harness::make_model(simulation->context.get(), trace));
    harness::Model& model = *simulation->model;
    simulation->inputs.resize(model.input_count);
    simulation->outputs.resize(model.output_count);
    for (uint32_t i = 0; i < model.input_count; ++i) simulation->inputs[i].signals = model.inputs[i];
    for (uint32_t i = 0; i < model.output_count; ++i) simulation->outputs[i].signals = model.outputs[i];
    simulation->quiet();
    model.set_reset(true);
    model.settle();
    return simulation;
}

void harness_destroy(Simulation* simulation) {
    current = simulation;
    delete simulation;
    current = nullptr;
}

// Starts counting cycles at 0 again with these plans (inputs, then outputs); the model goes on from where it is.
void harness_start(Simulation* simulation, const StreamPlan* plans, uint64_t frames_in_flight) {
    for (Stream& stream : simulation->inputs) {
        stream.start(*plans++);
        stream.idle_data();
        *stream.signals.valid = 0;
    }
    for (Stream& stream : simulation->outputs) stream.start(*plans++);
    simulation->cycle = simulation->idle_cycles = 0;
    simulation->frames_in_flight = frames_in_flight;
    simulation->model_seconds = 0;
}

// Holds reset for `cycles` cycles, no stream active.
void harness_reset(Simulation* simulation, uint64_t cycles) {
    current = simulation;
    simulation->quiet();
    for (const bool active : {true, false}) {
        simulation->model->set_reset(active);
        for (uint64_t i = 0; active && i < cycles && !simulation->failed; ++i) {
            simulation->model->settle();
            simulation->model->edge();
        }
    }
}

// Whether the RTL has reported an error: nothing more can be run.
int harness_failed(const Simulation* simulation) { return simulation->failed; }

// Runs to the end, to cycle `stop_at`, or until nothing has moved for `max_idle_cycles`; `profiled` times the model.
int harness_run(Simulation* simulation, uint64_t stop_at, uint64_t max_idle_cycles, int profiled) {
    current = simulation;
    if (simulation->failed) return FAILED;
    return profiled ? simulation->run<true>(stop_at, max_idle_cycles) : simulation->run<false>(stop_at, max_idle_cycles);
}

// Runs `cycles` more cycles with every output ready, counting surplus words.
void harness_drain(Simulation* simulation, uint64_t cycles) {
    current = simulation;
    bool moved = false;
    for (uint64_t i = 0; i < cycles && !simulation->failed; ++i) simulation->advance<false>(moved, true);
}

uint64_t harness_cycle(const Simulation* simulation) { return simulation->cycle; }
double harness_model_seconds(const Simulation* simulation) { return simulation->model_seconds; }
const char* harness_log(const Simulation* simulation) { return simulation->log.c_str(); }

uint64_t harness_probe(Simulation* simulation, uint32_t index) {
    current = simulation;
    return simulation->model->probe(index);
}

// The state of stream `index`, inputs first.
void harness_stream(const Simulation* simulation, uint32_t index, StreamState* state) {
    const size_t input_count = simulation->inputs.size();
    const Stream& stream = index < input_count ? simulation->inputs[index] : simulation->outputs[index - input_count];
    *state = stream.state;
    state->valid = *stream.signals.valid;
    state->ready = *stream.signals.ready;
}

}  // extern "C"
#pragma GCC visibility pop
