"""What numba lacks: a compare-and-swap and a prefetch on elements of arrays, inside other kernels."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_intrinsic: Any = intrinsic  # its types speak of the maker, not of what kernels call


def _address(context: Any, builder: Any, array_type: Any, array: Any, place: Any) -> Any:
    made = context.make_array(array_type)(context, builder, array)
    shape = cgutils.unpack_tuple(builder, made.shape, 1)
    strides = cgutils.unpack_tuple(builder, made.strides, 1)
    return cgutils.get_item_pointer2(context, builder, made.data, shape, strides, array_type.layout, [place])


@_intrinsic
def swap_if(typing: Any, array: Any, place: Any, expected: Any, wanted: Any) -> Any:  # noqa: ARG001
    """True where `array[place]` was `expected` and is now `wanted`, in one step that no other thread can come between.

    Args of the intrinsic: uint32[n] that can be written to, int64, uint32, uint32.
    """
    signature = types.boolean(array, types.int64, types.uint32, types.uint32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        pair = builder.cmpxchg(pointer, arguments[2], arguments[3], "acq_rel", "acquire")
        return builder.extract_value(pair, 1)

    return signature, generate


@_intrinsic
def prefetch(typing: Any, array: Any, place: Any) -> Any:  # noqa: ARG001
    """Ask the processor to bring `array[place]` near; nothing waits for it. Array of any type, int64."""
    signature = types.void(array, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        module = builder.module
        function = cgutils.get_or_insert_function(
            module, ir.FunctionType(ir.VoidType(), [byte, word, word, word]), "llvm.prefetch.p0i8"
        )
        builder.call(function, [builder.bitcast(pointer, byte), word(0), word(3), word(1)])
        return context.get_dummy_value()

    return signature, generate
