/** P-256 (SEC 2, 2.4.2), as far as half a point is to be completed: where it is printed, its y would be 52 letters to type. */
import type { Bytes } from "./token";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % P];
  for (let left = exponent; left; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

/** The other coordinate of the point at `x` (32 bytes). Throws where there is none. */
export function y(x: Uint8Array, odd: boolean): Bytes {
  const at = BigInt(`0x${Array.from(x, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  const squared = (power(at, 3n) + (P - 3n) * at + B) % P;
  let root = power(squared, (P + 1n) / 4n); // P is 3 mod 4
  if (at >= P || (root * root) % P !== squared) throw new RangeError("no point of the curve");
  if ((root & 1n) !== (odd ? 1n : 0n)) root = P - root;
  return Uint8Array.from(root.toString(16).padStart(64, "0").match(/../g)!, (byte) => parseInt(byte, 16));
}
