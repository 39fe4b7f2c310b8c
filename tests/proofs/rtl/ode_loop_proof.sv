/// The looped stage with any body: nothing is lost or doubled, frames stay in order and make ITERATIONS passes each, every
/// pass with its own index; and as long as the body and the output are willing, something moves.
///
/// FIFOs are the ideal ones (`ideal/`). Words are numbered; what every FIFO holds is written down as an invariant.
`default_nettype none

module ode_loop_proof #(
    parameter int unsigned WORDS_PER_FRAME = 2,
    parameter int unsigned ITERATIONS = 2,
    parameter int unsigned FRAMES_IN_FLIGHT = 1,
    // Cycles without any transfer that are too many.
    parameter int unsigned PATIENCE = 8
) (
    input wire logic clk,
    input wire logic rst,
    // Free in every cycle: the source, the sink, the body.
    input wire logic s_tvalid,
    input wire logic m_tready,
    input wire logic takes,
    input wire logic gives,
    input wire logic takes_index
);

  localparam int unsigned W = WORDS_PER_FRAME;
  localparam int unsigned F = FRAMES_IN_FLIGHT;
  localparam int unsigned PASSES = F + 2;
  localparam int unsigned INDEX_WIDTH = $clog2(ITERATIONS);
  localparam int unsigned PASS_WIDTH = $clog2(ITERATIONS + 1);
  localparam int unsigned BODY = PASSES * W;

  // Counts of words and frames; frames are numbered modulo more than can be inside at once.
  typedef logic [5:0] count_t;
  typedef logic [3:0] frame_t;
  typedef logic [PASS_WIDTH-1:0] passes_t;
  typedef logic [1:0] position_t;
  typedef struct packed {
    frame_t frame;
    position_t position;
  } tag_t;
  typedef struct packed {
    passes_t passes;
    tag_t tag;
  } word_t;
  typedef struct packed {
    frame_t frame;
    passes_t passes;
  } pass_t;
  localparam int unsigned TAG_WIDTH = $bits(tag_t);
  localparam int unsigned DATA_WIDTH = $bits(word_t);
  localparam int unsigned BUFFERED_WIDTH = $clog2((W + 2) / W + 1);
  localparam count_t WORDS = count_t'(W);
  localparam position_t LAST_POSITION = position_t'(W - 1);
  localparam passes_t LAST_PASS = passes_t'(ITERATIONS - 1);

  if (W > 4 || PASSES + 5 > 16 || BODY + W + 2 > 63) begin : gen_check_sizes
    $fatal(1, "%m: the proof counts no further");
  end

  // The word after word `tag`.
  function automatic tag_t next(tag_t tag);
    return (tag.position == LAST_POSITION) ? '{frame: tag.frame + 1'b1, position: '0}
        : '{frame: tag.frame, position: tag.position + 1'b1};
  endfunction
  // So many passes' words.
  function automatic count_t words_of(count_t passes);
    return count_t'(passes * WORDS);
  endfunction

  logic started_q = 1'b0;
  always_ff @(posedge clk) started_q <= 1'b1;
  always_comb assume (started_q || rst);

  // Words that went in, that left the input FIFO, that came out.
  tag_t s_tag_q, taken_tag_q, m_tag_q;
  word_t s_tdata, m_tdata, to_body_tdata, from_body_tdata;
  logic s_tready, m_tvalid, to_body_tvalid, to_body_tready, from_body_tvalid, from_body_tready, index_tvalid, index_tready;
  logic [INDEX_WIDTH-1:0] index_tdata;
  assign s_tdata = '{passes: '0, tag: s_tag_q};

  ode_loop #(
      .DATA_WIDTH(DATA_WIDTH),
      .WORDS_PER_FRAME(W),
      .ITERATIONS(ITERATIONS),
      .FRAMES_IN_FLIGHT(FRAMES_IN_FLIGHT),
      .NUM_INDEX(1)
  ) dut (
      .clk,
      .rst,
      .s_axis_tdata(s_tdata),
      .s_axis_tvalid(s_tvalid),
      .s_axis_tready(s_tready),
      .m_axis_tdata(m_tdata),
      .m_axis_tvalid(m_tvalid),
      .m_axis_tready(m_tready),
      .to_body_tdata,
      .to_body_tvalid,
      .to_body_tready,
      .from_body_tdata,
      .from_body_tvalid,
      .from_body_tready,
      .m_index_tdata(index_tdata),
      .m_index_tvalid(index_tvalid),
      .m_index_tready(index_tready)
  );

  logic [$clog2(BODY + 1)-1:0] body_count;
  word_t [BODY-1:0] body_words;
  logic [$clog2(W + 1)-1:0] given;
  logic [$clog2(PASSES + 1)-1:0] index_count;
  logic [PASSES-1:0][INDEX_WIDTH-1:0] indices;
  logic willing;

  any_body #(
      .TAG_WIDTH(TAG_WIDTH),
      .PASS_WIDTH(PASS_WIDTH),
      .INDEX_WIDTH(INDEX_WIDTH),
      .WORDS_PER_FRAME(W),
      .PASSES(PASSES)
  ) body (
      .clk,
      .rst,
      .takes,
      .gives,
      .takes_index,
      .s_tdata(to_body_tdata),
      .s_tvalid(to_body_tvalid),
      .s_tready(to_body_tready),
      .s_index_tdata(index_tdata),
      .s_index_tvalid(index_tvalid),
      .s_index_tready(index_tready),
      .m_tdata(from_body_tdata),
      .m_tvalid(from_body_tvalid),
      .m_tready(from_body_tready),
      .count(body_count),
      .words(body_words),
      .given,
      .index_count,
      .indices,
      .willing
  );

  stream_source #(.DATA_WIDTH(DATA_WIDTH)) source (.clk, .rst, .tdata(s_tdata), .tvalid(s_tvalid), .tready(s_tready));
  stream_rules #(.DATA_WIDTH(DATA_WIDTH)) sink (.clk, .rst, .tdata(m_tdata), .tvalid(m_tvalid), .tready(m_tready));
  stream_rules #(.DATA_WIDTH(INDEX_WIDTH)) index (
      .clk, .rst, .tdata(index_tdata), .tvalid(index_tvalid), .tready(index_tready));

  // What is claimed of the output: word after word, each with all its passes.
  always_comb if (!rst && m_tvalid) assert (m_tdata == {passes_t'(ITERATIONS), m_tag_q});

  // The passes in the body, and the frames that will come back, oldest first: as they should be.
  wire logic starts = dut.merge.start;
  wire logic from_feedback = dut.merge.from_feedback;
  wire logic pass_ends = dut.pass_tvalid && dut.pass_tready;
  pass_t current_q, started;
  pass_t [PASSES-1:0] pass;
  pass_t [F:0] returning;
  logic [$clog2(PASSES + 1)-1:0] pass_count;
  logic [$clog2(FRAMES_IN_FLIGHT + 2)-1:0] returning_count;

  assign started = from_feedback ? returning[0] : '{frame: taken_tag_q.frame, passes: '0};

  ideal_queue #(
      .DATA_WIDTH($bits(pass_t)),
      .DEPTH(PASSES)
  ) pass_list (
      .clk, .rst, .push(starts), .push_data(started), .pop(pass_ends), .count(pass_count), .words(pass));
  ideal_queue #(
      .DATA_WIDTH($bits(pass_t)),
      .DEPTH(FRAMES_IN_FLIGHT + 1)
  ) returning_list (
      .clk, .rst, .push(starts && started.passes != LAST_PASS),
      .push_data(pass_t'{frame: started.frame, passes: started.passes + 1'b1}),
      .pop(starts && from_feedback), .count(returning_count), .words(returning));

  always_ff @(posedge clk) begin
    if (rst) begin
      s_tag_q <= '0;
      taken_tag_q <= '0;
      m_tag_q <= '0;
    end else begin
      if (s_tvalid && s_tready) s_tag_q <= next(s_tag_q);
      if (dut.new_tvalid && dut.new_tready) taken_tag_q <= next(taken_tag_q);
      if (m_tvalid && m_tready) m_tag_q <= next(m_tag_q);
    end
    if (starts) current_q <= started;
  end

  // The invariants. Where things are:
  count_t input_level, feedback_level, to_body_level, index_level, output_level, given_words, merged_words;
  position_t arriving, leaving, merged, splitting;
  if (W == 1) begin : gen_single_word
    always_comb {arriving, leaving, merged, splitting} = '0;
  end else begin : gen_words
    always_comb begin
      arriving = position_t'(dut.input_fifo.arriving.gen_counter.word_q);
      leaving = position_t'(dut.input_fifo.leaving.gen_counter.word_q);
      merged = position_t'(dut.merge.position.gen_counter.word_q);
      splitting = position_t'(dut.split.position.gen_counter.word_q);
      if (!rst) begin
        assert (dut.input_fifo.arriving.gen_counter.last_q == (arriving == LAST_POSITION));
        assert (dut.input_fifo.leaving.gen_counter.last_q == (leaving == LAST_POSITION));
        assert (dut.merge.position.gen_counter.last_q == (merged == LAST_POSITION));
        assert (dut.merge.position.gen_counter.first_q == (merged == '0));
        assert (dut.split.position.gen_counter.last_q == (splitting == LAST_POSITION));
      end
    end
  end

  // The pass that is being merged, if it has begun.
  wire logic in_pass = merged != '0;
  wire logic in_new = in_pass && !dut.merge.from_feedback_q;
  wire logic in_returned = in_pass && dut.merge.from_feedback_q;
  // Frames whose words stand in the feedback FIFO or will come there: the one being merged, and those that will return.
  pass_t [F+1:0] coming;
  assign coming = in_returned ? {returning, current_q} : {pass_t'('0), returning};
  count_t coming_count, last_passes, other_passes;
  tag_t [2:0] output_tags;
  frame_t oldest;
  // Frames that are in the input FIFO up to their last word.
  wire frame_t buffered = s_tag_q.frame - taken_tag_q.frame;

  always_comb begin
    input_level = count_t'(dut.input_fifo.fifo.level);
    feedback_level = count_t'(dut.feedback_fifo.level);
    to_body_level = count_t'(dut.merge.to_body.level);
    index_level = count_t'(dut.merge.gen_index.gen_stream[0].queue.level);
    output_level = count_t'(dut.split.to_axis.level);
    given_words = count_t'(given);
    merged_words = count_t'(merged);
    last_passes = '0;
    for (int unsigned k = 0; k < PASSES; k++)
      if (count_t'(k) < count_t'(pass_count) && pass[k].passes == LAST_PASS) last_passes += 1'b1;
    other_passes = count_t'(pass_count) - last_passes;
    coming_count = count_t'(returning_count) + count_t'(in_returned);
    output_tags = {next(next(m_tag_q)), next(m_tag_q), m_tag_q};
    oldest = output_tags[output_level].frame + frame_t'(last_passes);
  end

  wire logic oldest_returns = pass_count != '0 && pass[0].passes != LAST_PASS;
  wire logic oldest_leaves = pass_count != '0 && pass[0].passes == LAST_PASS;

  logic after_reset_q;
  always_ff @(posedge clk) after_reset_q <= rst;

  always_comb begin
    if (started_q) assert (dut.feedback_fifo.after_reset_q == after_reset_q);
    if (!rst) begin
      // Counts.
      if (after_reset_q) assert (pass_count == '0);
      assert (arriving <= LAST_POSITION && leaving <= LAST_POSITION && merged <= LAST_POSITION && splitting <= LAST_POSITION);
      assert (s_tag_q.position == arriving && taken_tag_q.position == leaving && given_words == count_t'(splitting));
      assert (m_tag_q.position <= LAST_POSITION);
      assert (leaving == (in_new ? merged : '0));
      // The input's count of frames may wrap around within a frame.
      assert (words_of(count_t'(buffered)) + count_t'(arriving) == input_level + count_t'(leaving));
      assert (BUFFERED_WIDTH'(buffered) == dut.input_fifo.frames_q);
      // A frame that began when others were to return was buffered as a whole.
      if (in_new && count_t'(returning_count) != 6'd1) assert (buffered != '0);
      assert (count_t'(dut.passes.level) == count_t'(pass_count));
      assert (count_t'(dut.merge.returning_frames.level) == count_t'(returning_count));
      assert (to_body_level + count_t'(body_count) + given_words + (in_pass ? WORDS - merged_words : '0)
          == words_of(count_t'(pass_count)));
      assert (count_t'(index_count) + index_level == count_t'(pass_count));
      assert (feedback_level + words_of(other_passes) + (in_returned ? merged_words : '0)
          == words_of(coming_count) + (oldest_returns ? given_words : '0));
      assert (count_t'(returning_count) <= count_t'(F));
      assert (output_level <= 6'd2);
      // The passes.
      if (in_pass) begin
        assert (pass_count != '0 && current_q == pass[pass_count-1]);
        assert ((current_q.passes == '0) == in_new);
        if (in_new) assert (current_q.frame == taken_tag_q.frame);
        // A frame in its last pass has left a place.
        if (in_returned && current_q.passes == LAST_PASS) assert (count_t'(returning_count) < count_t'(F));
      end
      assert (other_passes <= coming_count);
      for (int unsigned k = 0; k < PASSES; k++) begin
        if (count_t'(k) < count_t'(pass_count)) begin
          assert (pass[k].passes <= LAST_PASS);
          assert (dut.passes.words[k] == (pass[k].passes == LAST_PASS));
          if (count_t'(k) < count_t'(index_count)) assert (passes_t'(indices[k]) == pass[k].passes);
        end
      end
      for (int unsigned k = 0; k <= F; k++) begin
        if (count_t'(k) < index_level)
          assert (passes_t'(dut.merge.gen_index.gen_stream[0].queue.words[k]) == pass[k+32'(index_count)].passes);
        if (count_t'(k) < count_t'(returning_count)) begin
          assert (returning[k].passes <= LAST_PASS && returning[k].passes != '0);
          assert (passes_t'(dut.merge.returning_frames.words[k]) == returning[k].passes);
        end
      end
    end
  end

  // The passes in the body that will return are the last ones of `coming`, in the same order.
  logic [3:0] at;
  always_comb begin
    at = 4'(coming_count - other_passes);
    for (int unsigned k = 0; k < PASSES; k++) begin
      if (count_t'(k) < count_t'(pass_count) && pass[k].passes != LAST_PASS) begin
        if (!rst) assert (coming[at].frame == pass[k].frame && coming[at].passes == pass[k].passes + 1'b1);
        at += 1'b1;
      end
    end
  end

  // At no earlier time were more frames to return than now allowed: those of now, without the ones that began since then,
  // with the ones that began their last pass since then.
  count_t returned_then;
  always_comb begin
    returned_then = count_t'(returning_count);
    for (int unsigned n = 1; n <= PASSES; n++) begin
      if (count_t'(PASSES - n) < count_t'(pass_count)) begin
        if (pass[PASSES-n].passes == '0) returned_then -= 1'b1;
        if (pass[PASSES-n].passes == LAST_PASS) returned_then += 1'b1;
        if (!rst) assert (returned_then <= count_t'(F));
      end
    end
  end

  // Order of frames: first those in their last pass, then those that will return. Of two of these the older one has made as
  // many passes as the younger one, or one more if it stands behind it.
  frame_t leaving_frame;
  always_comb begin
    leaving_frame = output_tags[output_level].frame;
    for (int unsigned k = 0; k < PASSES; k++) begin
      if (count_t'(k) < count_t'(pass_count) && pass[k].passes == LAST_PASS) begin
        if (!rst) assert (pass[k].frame == leaving_frame);
        leaving_frame += 1'b1;
      end
    end
    if (!rst) begin
      assert (output_tags[output_level].position == (oldest_leaves ? position_t'(given) : '0));
      assert (oldest + frame_t'(returning_count) == taken_tag_q.frame + frame_t'(in_new));
      for (int unsigned i = 0; i <= F; i++) begin
        if (count_t'(i) < count_t'(returning_count)) begin
          assert (frame_t'(returning[i].frame - oldest) < frame_t'(returning_count));
          for (int unsigned j = i + 1; j <= F; j++) begin
            if (count_t'(j) < count_t'(returning_count)) begin
              assert (returning[i].frame != returning[j].frame);
              if (frame_t'(returning[i].frame - oldest) < frame_t'(returning[j].frame - oldest))
                assert (returning[i].passes >= returning[j].passes);
              else assert (returning[j].passes > returning[i].passes);
            end
          end
        end
      end
    end
  end

  // Contents.
  tag_t input_tag;
  always_comb begin
    input_tag = taken_tag_q;
    for (int unsigned j = 0; j < W + 2; j++) begin
      if (!rst && count_t'(j) < input_level) assert (dut.input_fifo.fifo.words[j] == {passes_t'(0), input_tag});
      input_tag = next(input_tag);
    end
    for (int unsigned j = 0; j < 2; j++)
      if (!rst && count_t'(j) < output_level)
        assert (dut.split.to_axis.words[j] == {passes_t'(ITERATIONS), output_tags[j]});
  end

  logic [3:0] body_pass, returned;
  position_t body_position, returned_position;
  word_t body_word;
  always_comb begin
    body_pass = '0;
    body_position = position_t'(given);
    for (int unsigned j = 0; j < BODY; j++) begin
      body_word = (count_t'(j) < count_t'(body_count)) ? body_words[j] : dut.merge.to_body.words[1'(count_t'(j)-count_t'(body_count))];
      if (!rst && count_t'(j) < count_t'(body_count) + to_body_level)
        assert (body_word == {pass[body_pass].passes, pass[body_pass].frame, body_position});
      if (body_position == LAST_POSITION) body_pass += 1'b1;
      body_position = (body_position == LAST_POSITION) ? '0 : body_position + 1'b1;
    end
    returned = '0;
    returned_position = in_returned ? merged : '0;
    for (int unsigned j = 0; j < F * W; j++) begin
      if (!rst && count_t'(j) < feedback_level)
        assert (dut.feedback_fifo.words[j] == {coming[returned].passes, coming[returned].frame, returned_position});
      if (returned_position == LAST_POSITION) returned += 1'b1;
      returned_position = (returned_position == LAST_POSITION) ? '0 : returned_position + 1'b1;
    end
  end

  // Progress: while body and sink are willing, some word moves before PATIENCE cycles are over, unless all that is inside
  // is less than a frame and the loop takes more of it.
  wire logic moves = (to_body_tvalid && to_body_tready) || (from_body_tvalid && from_body_tready)
      || (m_tvalid && m_tready) || (index_tvalid && index_tready);
  wire logic waits_for_source = s_tready && input_level == '0 && output_level == '0 && to_body_level == '0
      && count_t'(pass_count) == count_t'(in_new) && count_t'(returning_count) == count_t'(in_new);
  logic [$clog2(PATIENCE + 1)-1:0] idle_q;
  always_ff @(posedge clk) begin
    if (rst || moves || !willing || !m_tready || waits_for_source) idle_q <= '0;
    else idle_q <= idle_q + 1'b1;
  end
`ifndef NO_PROGRESS
  always_comb if (!rst) assert (32'(idle_q) < PATIENCE);
`endif

endmodule

`default_nettype wire
