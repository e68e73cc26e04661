"""Writes ONNX models without the onnx package: protobuf's wire format, the fields that are needed.
Field numbers are those of onnx.proto3."""
import struct


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """An integer as a varint, text, bytes or a message with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name, dims, values):
    """A TensorProto of floats."""
    raw = struct.pack(f"<{len(values)}f", *values)
    return b"".join(field(1, d) for d in dims) + field(2, 1) + field(8, name) + field(9, raw)


def value_info(name, dims):
    """A ValueInfoProto; a dimension is a size or a name."""
    shape = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def node(op, inputs, outputs, name="", **attributes):
    """A NodeProto; an attribute is an integer or a list of integers."""
    out = b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs)
    out += field(3, name) + field(4, op)
    for key, value in attributes.items():
        values = field(3, value) if isinstance(value, int) else b"".join(field(8, v) for v in value)
        out += field(5, field(1, key) + values + field(20, 2 if isinstance(value, int) else 7))
    return out


def model(nodes, inputs, outputs, initializers=(), opset=13):
    """A ModelProto."""
    graph = b"".join(field(1, n) for n in nodes) + field(2, "test")
    graph += b"".join(field(5, t) for t in initializers)
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    return field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, opset))


def one_node(op, dims=(1, 3, 8, 8), inputs=("x",), initializers=(), name="", **attributes):
    """A model of a single node from x to y."""
    return model(
        [node(op, inputs, ["y"], name, **attributes)],
        [value_info("x", dims)],
        [value_info("y", [])],
        initializers,
    )
