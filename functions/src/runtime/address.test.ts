import assert from 'node:assert/strict';
import { clientAddress } from './address.ts';

describe('the address of a client', () => {
  it('is the last one of the header: the client may have written the others', () => {
    assert.equal(clientAddress('203.0.113.7', '169.254.1.1', 0), '203.0.113.7');
    assert.equal(clientAddress('1.1.1.1, 10.0.0.1 ,203.0.113.7', '169.254.1.1', 0), '203.0.113.7');
  });

  it('stands before those of your own proxies', () => {
    assert.equal(clientAddress('1.1.1.1, 203.0.113.7, 198.51.100.1', undefined, 1), '203.0.113.7');
    assert.equal(clientAddress('203.0.113.7, 198.51.100.1, 198.51.100.2', undefined, 2), '203.0.113.7');
  });

  it('is never one that the client wrote, where a proxy is missing', () => {
    assert.equal(clientAddress('203.0.113.7', undefined, 2), '203.0.113.7');
    assert.equal(clientAddress('1.1.1.1,203.0.113.7', undefined, 2), '203.0.113.7');
  });

  it('is that of the connection without a header', () => {
    for (const header of [undefined, '', ' , ']) assert.equal(clientAddress(header, '127.0.0.1', 0), '127.0.0.1');
  });

  it('is the network of 64 bits of an IPv6 address, however it is written', () => {
    for (const address of ['2001:db8:1:2:3:4:5:6', '2001:0DB8:0001:2::', '2001:db8:1:2::ffff', '2001:db8:1:2:0:0:1.2.3.4']) assert.equal(clientAddress(address, undefined, 0), '2001:db8:1:2::/64', address);
    assert.equal(clientAddress('2001:db8::1', undefined, 0), '2001:db8:0:0::/64');
    assert.equal(clientAddress('::1', undefined, 0), '0:0:0:0::/64');
    assert.equal(clientAddress('64:ff9b::1.2.3.4', undefined, 0), '64:ff9b:0:0::/64');
    assert.equal(clientAddress('1::5:6:7:8', undefined, 0), '1:0:0:0::/64');
    assert.equal(clientAddress('fe80::1%eth0', undefined, 0), 'fe80:0:0:0::/64');
    assert.notEqual(clientAddress('2001:db8:1:3::1', undefined, 0), '2001:db8:1:2::/64');
  });

  it('is the same whether IPv4 is written as IPv6 or not', () => assert.equal(clientAddress('::ffff:203.0.113.7', undefined, 0), '203.0.113.7'));

  it('is one and the same for everything that is none', () => {
    for (const header of ['localhost', '1.2.3', '203.0.113.7:443', 'x'.repeat(9_000), '2001:db8::1::2']) assert.equal(clientAddress(header, undefined, 0), 'unknown');
    assert.equal(clientAddress(undefined, undefined, 0), 'unknown');
  });
});
