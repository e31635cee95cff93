/** The fingerprints by which clients and the server tell whether they see the same data. */

import { createHash } from 'node:crypto';
import { sortedChildren } from './order.ts';
import type { DataNode } from './tree.ts';

/** The hash of a node as the client libraries compute it; empty for no data. */
export function hashNode(node: DataNode): string {
  node.hash ??= computeHash(node);
  return node.hash;
}

function computeHash(node: DataNode): string {
  if (node.isEmpty) return '';
  let text = node.priority === null ? '' : `priority:${scalarText(node.priority)}:`;
  if (node.value !== null) text += scalarText(node.value);
  for (const [key, child] of sortedChildren(node, { kind: 'priority' })) text += `:${key}:${hashNode(child)}`;
  return createHash('sha1').update(text, 'utf8').digest('base64');
}

function scalarText(value: string | number | boolean): string {
  return typeof value === 'number' ? `number:${doubleHex(value)}` : `${typeof value}:${value}`;
}

/**
 * The IEEE 754 form of a number in hexadecimal. The exponent comes from a logarithm, because the
 * client libraries do it so: next to powers of two the two ways differ, and hashes must agree.
 */
export function doubleHex(value: number): string {
  const size = Math.abs(value);
  if (size < 2 ** -1022) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return bytes.toString('hex');
  }
  const exponent = Math.min(Math.floor(Math.log(size) / Math.LN2), 1023);
  const fraction = Math.round(size * 2 ** (52 - exponent) - 2 ** 52);
  const fractionBits = Number.isFinite(fraction) ? BigInt.asUintN(52, BigInt(fraction)) : 0n;
  const sign = value < 0 ? 1n : 0n;
  const bits = (sign << 63n) | (BigInt(exponent + 1023) << 52n) | fractionBits;
  return bits.toString(16).padStart(16, '0');
}
