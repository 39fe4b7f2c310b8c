// What a verilated model and the AXI4-Stream harness agree on. Included before everything else in every file.
#pragma once

#include <cstdint>

// Everything that the RTL prints goes to the simulation's log, not to standard output.
extern "C" int harness_printf(const char* format, ...) __attribute__((format(printf, 1, 2)));
#define VL_PRINTF harness_printf

#include "verilated.h"

namespace harness {

// One stream's signals inside the model: TDATA as little-endian bytes, in the model's own storage.
struct StreamSignals {
    uint8_t* data;
    uint32_t data_bytes;
    CData* valid;
    CData* ready;
};

// One design, wrapped by the code generated from model.cpp.in.
class Model {
public:
    virtual ~Model() = default;
    // Brings reset to its active or inactive level; takes effect with the next cycle.
    virtual void set_reset(bool active) = 0;
    // First half of a cycle: inputs have changed; afterwards the outputs are settled and the next rising edge is due.
    virtual void settle() = 0;
    // Second half: the rising edge of the clock.
    virtual void edge() = 0;
    virtual uint64_t probe(uint32_t index) = 0;
    StreamSignals* inputs = nullptr;
    StreamSignals* outputs = nullptr;
    uint32_t input_count = 0;
    uint32_t output_count = 0;
};

// Made by the generated code. `trace` is a VCD file's path, or null.
Model* make_model(VerilatedContext* context, const char* trace);

}  // namespace harness
