/* The byte layout of everything a loadable hands to the accelerator's firmware: network
 * descriptor, dependency graph, operation and surface lists, LUTs, and the operations that run on
 * the CPU. Plain C, shared by the firmware, the compiler and the tools; no code beyond layout.
 * Little endian, packed. Interface version 0.12; the older layout of a cube (0.10, 0.11) is
 * DlaCubeV11, the containers keep their stride. */
#ifndef DLAVP_COMPILER_LOADABLE_DLA_DESCRIPTORS_H
#define DLAVP_COMPILER_LOADABLE_DLA_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define DLA_LAYOUT_ASSERT(condition) static_assert(condition, #condition)
#else
#define DLA_LAYOUT_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define DLA_PACKED __attribute__((packed))
#define DLA_SIZE(type, bytes) DLA_LAYOUT_ASSERT(sizeof(type) == (bytes))
#define DLA_AT(type, field, byte) DLA_LAYOUT_ASSERT(offsetof(type, field) == (byte))

enum {
  DLA_ENGINE_COUNT = 6,
  DLA_OPERATION_STRIDE = 116,
  DLA_SURFACE_STRIDE = 644,
  DLA_BDMA_TRANSFERS = 20,
  DLA_LE_ENTRIES = 65,
  DLA_LO_ENTRIES = 257,
  DLA_NO_INDEX = -1
};

/* Container: interface of a task or blob, what a DLA blob holds, memory flags and domains. */
enum { DLA_INTERFACE_NONE = 0, DLA_INTERFACE_DLA = 1, DLA_INTERFACE_EMU = 2 };
enum { DLA_BLOB_NETWORK = 1, DLA_BLOB_DEPENDENCIES = 2, DLA_BLOB_OPERATIONS = 3 };
enum { DLA_BLOB_SURFACES = 4, DLA_BLOB_LUTS = 5 };
enum { DLA_EMU_BLOB_NETWORK = 1, DLA_EMU_BLOB_OPERATIONS = 3, DLA_EMU_BLOB_BUFFERS = 4 };
enum { DLA_DOMAIN_SYSTEM = 0, DLA_DOMAIN_SRAM = 1 };
enum {
  DLA_MEMORY_ALLOC = 1,
  DLA_MEMORY_SET = 2,
  DLA_MEMORY_INPUT = 4,
  DLA_MEMORY_OUTPUT = 8,
  DLA_MEMORY_DEBUG = 16
};
enum { DLA_EVENT_ACTION_WAIT = 0, DLA_EVENT_ACTION_SIGNAL = 1 };
enum { DLA_TENSOR_NCHW = 1, DLA_TENSOR_NHWC = 2, DLA_TENSOR_NCXHWX = 3 };
enum { DLA_TENSOR_FLOAT = 1, DLA_TENSOR_HALF = 2, DLA_TENSOR_INT16 = 3, DLA_TENSOR_INT8 = 4 };
enum { DLA_TENSOR_IMAGE = 0, DLA_TENSOR_FEATURE = 2 };

/* Operations and their order. */
enum {
  DLA_ENGINE_BDMA = 0,
  DLA_ENGINE_CONV = 1,
  DLA_ENGINE_SDP = 2,
  DLA_ENGINE_PDP = 3,
  DLA_ENGINE_CDP = 4,
  DLA_ENGINE_RUBIK = 5
};
enum {
  DLA_EVENT_COMPLETED = 1,
  DLA_EVENT_PROGRAMMED = 2,
  DLA_EVENT_ENABLED = 3,
  DLA_EVENT_WEIGHTS_DONE = 4,
  DLA_EVENT_DATA_DONE = 5
};
enum { DLA_CUBE_DRAM = 0, DLA_CUBE_SRAM = 1, DLA_CUBE_STREAM = 2 };
enum { DLA_INT8 = 0, DLA_INT16 = 1, DLA_FP16 = 2 };

/* Convolution. */
enum { DLA_CONV_DIRECT = 0, DLA_CONV_WINOGRAD = 1 };
enum { DLA_WEIGHTS_PLAIN = 0, DLA_WEIGHTS_COMPRESSED = 1 };
enum { DLA_PIXELS_PITCH_LINEAR = 0 };
enum { DLA_MEAN_OFF = 0, DLA_MEAN_ON = 1 };
enum { DLA_PIXELS_UNSIGNED = 0, DLA_PIXELS_SIGNED = 1 };
/* Data formats carry the code of the register field D_DATAIN_FORMAT.PIXEL_FORMAT; 36 is feature data. */
enum {
  DLA_FORMAT_R8 = 0,
  DLA_FORMAT_R16_F = 5,
  DLA_FORMAT_A16B16G16R16_F = 8,
  DLA_FORMAT_A8B8G8R8 = 12,
  DLA_FORMAT_A8R8G8B8 = 13,
  DLA_FORMAT_B8G8R8A8 = 14,
  DLA_FORMAT_R8G8B8A8 = 15,
  DLA_FORMAT_X8B8G8R8 = 16,
  DLA_FORMAT_X8R8G8B8 = 17,
  DLA_FORMAT_B8G8R8X8 = 18,
  DLA_FORMAT_R8G8B8X8 = 19,
  DLA_FORMAT_A8Y8U8V8 = 26,
  DLA_FORMAT_V8U8Y8A8 = 27,
  DLA_FORMAT_Y8_U8V8 = 28,
  DLA_FORMAT_Y8_V8U8 = 29,
  DLA_FORMAT_Y16_U16V16 = 34,
  DLA_FORMAT_Y16_V16U16 = 35,
  DLA_FORMAT_FEATURE = 36
};

/* Point-wise operations, LUT, pooling, reshaping, CPU operations. */
enum { DLA_SDP_NONE = 0, DLA_SDP_MUL = 1, DLA_SDP_ALU = 2, DLA_SDP_BOTH = 3 };
enum { DLA_ALU_MAX = 0, DLA_ALU_MIN = 1, DLA_ALU_SUM = 2, DLA_ALU_EQUAL = 3 };
enum { DLA_PER_LAYER = 0, DLA_PER_KERNEL = 1, DLA_PER_POINT = 2 };
enum { DLA_ACT_NONE = 0, DLA_ACT_RELU = 1, DLA_ACT_LUT = 2, DLA_ACT_PRELU = 3 };
enum { DLA_LUT_EXPONENT = 0, DLA_LUT_LINEAR = 1 };
enum { DLA_LUT_PREFER_LE = 0, DLA_LUT_PREFER_LO = 1 };
enum { DLA_POOL_AVERAGE = 0, DLA_POOL_MAX = 1, DLA_POOL_MIN = 2 };
enum { DLA_RUBIK_CONTRACT = 0, DLA_RUBIK_SPLIT = 1, DLA_RUBIK_MERGE = 2 };
enum { DLA_EMU_POWER = 0, DLA_EMU_SOFTMAX = 1 };
/* Element type and atom of a CPU operation's buffer. */
enum { DLA_EMU_INT8_ATOM32 = 0, DLA_EMU_INT8_ATOM8 = 1, DLA_EMU_INT16 = 2, DLA_EMU_FP16 = 3 };

/* First bytes of a task: the indices count in the task's address list. */
typedef struct DLA_PACKED {
  int16_t operation_desc_index;
  int16_t surface_desc_index;
  int16_t dependency_graph_index;
  int16_t lut_data_index;
  int16_t roi_array_index;
  int16_t surface_index;
  int16_t stat_list_index;
  int16_t reserved1;
  int16_t op_head[DLA_ENGINE_COUNT];
  uint16_t num_rois;
  uint16_t num_operations;
  uint16_t num_luts;
  uint16_t num_addresses;
  int16_t input_layer;
  uint8_t dynamic_roi;
  uint8_t reserved0;
} DlaNetwork;
DLA_SIZE(DlaNetwork, 40);
DLA_AT(DlaNetwork, op_head, 16);
DLA_AT(DlaNetwork, num_operations, 30);
DLA_AT(DlaNetwork, input_layer, 36);

typedef struct DLA_PACKED {
  int16_t index;
  uint8_t event;
  uint8_t res;
} DlaConsumer;
DLA_SIZE(DlaConsumer, 4);

/* One node of the dependency graph. */
typedef struct DLA_PACKED {
  int16_t index;
  int8_t roi_index;
  uint8_t op_type;
  uint8_t dependency_count;
  uint8_t reserved0[3];
  DlaConsumer consumers[DLA_ENGINE_COUNT];
  DlaConsumer fused_parent;
} DlaDependency;
DLA_SIZE(DlaDependency, 36);
DLA_AT(DlaDependency, consumers, 8);
DLA_AT(DlaDependency, fused_parent, 32);

typedef struct DLA_PACKED {
  uint16_t type;
  int16_t address;
  uint32_t offset;
  uint32_t size;
  uint16_t width;
  uint16_t height;
  uint16_t channel;
  uint16_t reserved0;
  uint32_t line_stride;
  uint32_t surf_stride;
  uint32_t plane_stride;
} DlaCube;
DLA_SIZE(DlaCube, 32);
DLA_AT(DlaCube, width, 12);
DLA_AT(DlaCube, line_stride, 20);

/* A cube of interface versions 0.10 and 0.11. */
typedef struct DLA_PACKED {
  uint16_t type;
  int16_t address;
  uint32_t size;
  uint16_t width;
  uint16_t height;
  uint16_t channel;
  uint16_t reserved0;
  uint32_t line_stride;
  uint32_t surf_stride;
  uint32_t plane_stride;
} DlaCubeV11;
DLA_SIZE(DlaCubeV11, 28);
DLA_AT(DlaCubeV11, line_stride, 16);

typedef struct DLA_PACKED {
  int16_t scale;
  uint8_t truncate;
  uint8_t enable;
  int32_t offset;
} DlaConverter;
DLA_SIZE(DlaConverter, 8);

typedef struct DLA_PACKED {
  uint8_t conv_mode;
  uint8_t data_reuse;
  uint8_t weight_reuse;
  uint8_t skip_data_rls;
  uint8_t skip_weight_rls;
  uint8_t reserved0;
  uint16_t entry_per_slice;
  uint8_t data_format;
  uint8_t pixel_mapping;
  uint16_t fetch_grain;
  uint8_t reserved_b[8];
  uint8_t batch;
  uint8_t weight_format;
  uint8_t data_bank;
  uint8_t weight_bank;
  uint32_t batch_stride;
  uint8_t post_extension;
  uint8_t pixel_override;
  uint16_t release;
  uint16_t input_width_csc;
  uint16_t input_height_csc;
  uint16_t input_channel_csc;
  uint16_t kernel_width_csc;
  uint16_t kernel_height_csc;
  uint16_t kernel_channel_csc;
  uint16_t input_width_cmac;
  uint16_t input_height_cmac;
  uint32_t bytes_per_kernel;
  int16_t mean_ry;
  int16_t mean_gu;
  int16_t mean_bv;
  int16_t mean_ax;
  uint8_t mean_format;
  uint8_t conv_stride_x;
  uint8_t conv_stride_y;
  uint8_t pad_x_left;
  uint8_t pad_x_right;
  uint8_t pad_y_top;
  uint8_t pad_y_bottom;
  uint8_t dilation_x;
  uint8_t dilation_y;
  uint8_t reserved2[2];
  uint8_t pra_truncate;
  uint8_t in_precision;
  uint8_t out_precision;
  int16_t pad_val;
  DlaConverter in_cvt;
  DlaConverter out_cvt;
} DlaConvOp;
DLA_SIZE(DlaConvOp, 92);
DLA_AT(DlaConvOp, batch, 20);
DLA_AT(DlaConvOp, input_width_csc, 32);
DLA_AT(DlaConvOp, bytes_per_kernel, 48);
DLA_AT(DlaConvOp, mean_format, 60);
DLA_AT(DlaConvOp, pra_truncate, 71);
DLA_AT(DlaConvOp, in_cvt, 76);

typedef struct DLA_PACKED {
  DlaCube weight_data;
  DlaCube wmb_data;
  DlaCube wgs_data;
  DlaCube src_data;
  DlaCube dst_data;
  int64_t offset_u;
  uint32_t in_line_uv_stride;
} DlaConvSurface;
DLA_SIZE(DlaConvSurface, 172);
DLA_AT(DlaConvSurface, src_data, 96);
DLA_AT(DlaConvSurface, offset_u, 160);

typedef struct DLA_PACKED {
  DlaConverter alu_cvt;
  DlaConverter mul_cvt;
} DlaSdpConverters;
DLA_SIZE(DlaSdpConverters, 16);

/* One of the SDP's three stages: X1, X2, Y. */
typedef struct DLA_PACKED {
  uint8_t enable;
  uint8_t alu_type;
  uint8_t type;
  uint8_t mode;
  uint8_t act;
  uint8_t shift_value;
  uint8_t truncate;
  uint8_t precision;
  int32_t alu_operand;
  int32_t mul_operand;
  DlaSdpConverters cvt;
} DlaSdpStage;
DLA_SIZE(DlaSdpStage, 32);
DLA_AT(DlaSdpStage, alu_operand, 8);

typedef struct DLA_PACKED {
  uint8_t src_precision;
  uint8_t dst_precision;
  int16_t lut_index;
  DlaConverter out_cvt;
  uint8_t conv_mode;
  uint8_t batch_num;
  uint16_t reserved0;
  uint32_t batch_stride;
  DlaSdpStage x1_op;
  DlaSdpStage x2_op;
  DlaSdpStage y_op;
} DlaSdpOp;
DLA_SIZE(DlaSdpOp, 116);
DLA_AT(DlaSdpOp, batch_stride, 16);
DLA_AT(DlaSdpOp, y_op, 84);

typedef struct DLA_PACKED {
  DlaCube src_data;
  DlaCube x1_data;
  DlaCube x2_data;
  DlaCube y_data;
  DlaCube dst_data;
} DlaSdpSurface;
DLA_SIZE(DlaSdpSurface, 160);

typedef struct DLA_PACKED {
  uint16_t partial_in_width_first;
  uint16_t partial_in_width_mid;
  uint16_t partial_in_width_last;
  uint16_t partial_width_first;
  uint16_t partial_width_mid;
  uint16_t partial_width_last;
  uint8_t split_num;
  uint8_t pool_mode;
  uint8_t pool_width;  /* kernel width - 1 */
  uint8_t pool_height; /* kernel height - 1 */
  uint8_t stride_x;
  uint8_t stride_y;
  uint8_t pad_left;
  uint8_t pad_right;
  uint8_t pad_top;
  uint8_t pad_bottom;
  uint8_t precision;
  uint8_t reserved0;
  int32_t padding_value[7];
} DlaPdpOp;
DLA_SIZE(DlaPdpOp, 52);
DLA_AT(DlaPdpOp, split_num, 12);
DLA_AT(DlaPdpOp, padding_value, 24);

typedef struct DLA_PACKED {
  uint8_t in_precision;
  uint8_t out_precision;
  int16_t lut_index;
  DlaConverter in_cvt;
  DlaConverter out_cvt;
  uint8_t local_size;
  uint8_t bypass_sqsum;
  uint8_t bypass_out_mul;
  uint8_t reserved0;
} DlaCdpOp;
DLA_SIZE(DlaCdpOp, 24);
DLA_AT(DlaCdpOp, local_size, 20);

typedef struct DLA_PACKED {
  uint8_t mode;
  uint8_t precision;
  uint8_t stride_x;
  uint8_t stride_y;
} DlaRubikOp;
DLA_SIZE(DlaRubikOp, 4);

/* Surfaces of PDP, CDP and Rubik. */
typedef struct DLA_PACKED {
  DlaCube src_data;
  DlaCube dst_data;
} DlaPairSurface;
DLA_SIZE(DlaPairSurface, 64);

typedef struct DLA_PACKED {
  uint16_t num_transfers;
  uint16_t reserved0;
} DlaBdmaOp;
DLA_SIZE(DlaBdmaOp, 4);

typedef struct DLA_PACKED {
  int16_t source_address;
  int16_t destination_address;
  uint32_t line_size;
  uint32_t line_repeat;
  uint32_t source_line;
  uint32_t destination_line;
  uint32_t surface_repeat;
  uint32_t source_surface;
  uint32_t destination_surface;
} DlaBdmaTransfer;
DLA_SIZE(DlaBdmaTransfer, 32);

typedef struct DLA_PACKED {
  uint8_t source_type;
  uint8_t destination_type;
  uint16_t num_transfers;
  DlaBdmaTransfer transfers[DLA_BDMA_TRANSFERS];
} DlaBdmaSurface;
DLA_SIZE(DlaBdmaSurface, 644);

/* What the operation list and the surface list repeat. */
typedef union DLA_PACKED {
  DlaBdmaOp bdma;
  DlaConvOp conv;
  DlaSdpOp sdp;
  DlaPdpOp pdp;
  DlaCdpOp cdp;
  DlaRubikOp rubik;
} DlaOperation;
DLA_SIZE(DlaOperation, DLA_OPERATION_STRIDE);

typedef union DLA_PACKED {
  DlaBdmaSurface bdma;
  DlaConvSurface conv;
  DlaSdpSurface sdp;
  DlaPairSurface pair;
} DlaSurface;
DLA_SIZE(DlaSurface, DLA_SURFACE_STRIDE);

typedef struct DLA_PACKED {
  int16_t scale;
  int8_t shifter;
  uint8_t reserved0;
} DlaSlope;
DLA_SIZE(DlaSlope, 4);

typedef struct DLA_PACKED {
  int16_t linear_exp_table[DLA_LE_ENTRIES];
  int16_t linear_only_table[DLA_LO_ENTRIES];
  /* Only the low byte counts, signed: the index offset of an exponential table (log2 domain) or
   * the index select (right shift) of a linear one. */
  uint16_t linear_exp_offset;
  uint16_t linear_only_offset;
  uint64_t linear_exp_start;
  uint64_t linear_exp_end;
  uint64_t linear_only_start;
  uint64_t linear_only_end;
  DlaSlope linear_exp_underflow_slope;
  DlaSlope linear_exp_overflow_slope;
  DlaSlope linear_only_underflow_slope;
  DlaSlope linear_only_overflow_slope;
  uint8_t hybrid_priority;
  uint8_t underflow_priority;
  uint8_t overflow_priority;
  uint8_t method;
} DlaLut;
DLA_SIZE(DlaLut, 700);
DLA_AT(DlaLut, linear_only_table, 130);
DLA_AT(DlaLut, linear_exp_offset, 644);
DLA_AT(DlaLut, linear_exp_start, 648);
DLA_AT(DlaLut, linear_exp_underflow_slope, 680);
DLA_AT(DlaLut, hybrid_priority, 696);

/* First bytes of a CPU task; the blob is padded to 256 bytes. */
typedef struct DLA_PACKED {
  int16_t operation_desc_index;
  int16_t operation_buffer_desc_index;
  uint16_t num_operations;
  uint8_t padding[250];
} DlaEmuNetwork;
DLA_SIZE(DlaEmuNetwork, 256);

/* One CPU operation. Real value = stored value x scale factor. Softmax uses `axis`, power the
 * three floats: out = (shift + scale * in) ^ power. */
typedef struct DLA_PACKED {
  uint8_t op_type;
  uint8_t padding0[3];
  float input_scale_factor;
  float output_scale_factor;
  union {
    struct {
      float power;
      float scale;
      float shift;
    } power;
    uint8_t axis;
  } u;
} DlaEmuOp;
DLA_SIZE(DlaEmuOp, 24);

typedef struct DLA_PACKED {
  int16_t address;
  uint32_t offset;
  uint32_t size;
  uint16_t format;
  uint16_t width;
  uint16_t height;
  uint16_t channel;
  uint32_t line_stride;
  uint32_t surf_stride;
  uint8_t padding[230];
} DlaEmuBuffer;
DLA_SIZE(DlaEmuBuffer, 256);
DLA_AT(DlaEmuBuffer, format, 10);
DLA_AT(DlaEmuBuffer, line_stride, 18);

typedef struct DLA_PACKED {
  DlaEmuBuffer src_data;
  DlaEmuBuffer dst_data;
} DlaEmuBuffers;
DLA_SIZE(DlaEmuBuffers, 512);

#endif
