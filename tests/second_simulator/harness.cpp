// Streams around a model of CXXRTL: DESIGN (its file), TOP (its class), INPUTS and OUTPUTS (X(port) of each) are set when this is compiled.
//
// Arguments: SEED, PAUSES in percent, RESET (a cycle in which to reset and start again, 0 for never), IDLE (cycles without a transfer that
// are too many), then for each input its file of words and for each output its file, its number of words and whether it pauses. Words are whole bytes.

#include DESIGN

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

template <size_t Bits> constexpr size_t bytes_of(const cxxrtl::value<Bits>&) { return (Bits + 7) / 8; }
template <size_t Bits> constexpr size_t bytes_of(const cxxrtl::wire<Bits>&) { return (Bits + 7) / 8; }
template <size_t Bits> uint32_t* bits_of(cxxrtl::value<Bits>& port) { return port.data; }
template <size_t Bits> uint32_t* bits_of(cxxrtl::wire<Bits>& port) { return port.curr.data; }

struct Stream {
    uint32_t *data, *valid, *ready;
    size_t bytes;
    std::string file;
    std::vector<char> words;
    size_t done = 0;
    bool offering = false, pauses = true;

    bool finished() const { return done * bytes >= words.size(); }
};

}  // namespace

int main(int, char** arguments) {
    cxxrtl_design::TOP top;
    std::mt19937 random(std::atoi(arguments[1]));
    const unsigned pauses = std::atoi(arguments[2]);
    const long reset = std::atol(arguments[3]), most_idle = std::atol(arguments[4]);
    char** rest = arguments + 5;
    std::vector<Stream> sources, sinks;
#define X(port) \
    sources.push_back({bits_of(top.p_##port##__TDATA), bits_of(top.p_##port##__TVALID), bits_of(top.p_##port##__TREADY), \
                       bytes_of(top.p_##port##__TDATA), *rest++, {}});
    INPUTS
#undef X
#define X(port) \
    sinks.push_back({bits_of(top.p_##port##__TDATA), bits_of(top.p_##port##__TVALID), bits_of(top.p_##port##__TREADY), \
                     bytes_of(top.p_##port##__TDATA), *rest++, {}}); \
    sinks.back().words.resize(std::atol(*rest++) * sinks.back().bytes); \
    sinks.back().pauses = std::atoi(*rest++);
    OUTPUTS
#undef X
    for (auto& source : sources) {
        std::ifstream in(source.file, std::ios::binary);
        source.words.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto edge = [&] {
        top.p_ap__clk.set<bool>(true);
        top.step();
        top.p_ap__clk.set<bool>(false);
        top.step();
    };
    const auto start = [&] {
        top.p_ap__rst__n.set<bool>(false);
        for (auto& source : sources) *source.valid = source.done = source.offering = 0;
        for (auto& sink : sinks) *sink.ready = sink.done = 0;
        for (int i = 0; i < 16; ++i) edge();
        top.p_ap__rst__n.set<bool>(true);
        top.step();
    };
    start();
    long idle = 0;
    for (long cycle = 1;; ++cycle) {
        if (cycle == reset) start();
        bool finished = true, moved = false;
        for (auto& source : sources) {
            source.offering = source.offering || (!source.finished() && random() % 100 >= pauses);
            *source.valid = source.offering;
            std::memset(source.data, 0xA5, source.bytes);
            if (source.offering) std::memcpy(source.data, &source.words[source.done * source.bytes], source.bytes);
        }
        for (auto& sink : sinks) *sink.ready = !sink.pauses || random() % 100 >= pauses;
        top.step();
        for (auto& source : sources) {
            if (*source.valid && *source.ready) {
                source.offering = false;
                source.done++;
                moved = true;
            }
        }
        for (auto& sink : sinks) {
            if (*sink.valid && *sink.ready && !sink.finished()) {
                std::memcpy(&sink.words[sink.done++ * sink.bytes], sink.data, sink.bytes);
                moved = true;
            }
            finished = finished && sink.finished();
        }
        if (finished) break;
        idle = moved ? 0 : idle + 1;
        if (idle > most_idle) {
            std::fprintf(stderr, "nothing moved for %ld cycles, in cycle %ld\n", idle, cycle);
            return 1;
        }
        edge();
    }
    for (auto& sink : sinks) std::ofstream(sink.file, std::ios::binary).write(sink.words.data(), sink.words.size());
}
