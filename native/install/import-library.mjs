// Windows links against import libraries, which the packages of prebuilt DLLs leave out: they are made from the DLLs' exports.
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** llama.cpp's own functions, C's and C++'s; the DLLs export their copies of the C++ library's as well. */
const OWN_NAME = /^\?*(ggml|gguf|llama)_/;

/**
 * The text of a module definition file for a DLL, from which the linker makes an import library.
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format, "The .edata Section"
 */
export function definitionFile(dllPath) {
  const names = exportedNames(readFileSync(dllPath)).filter((name) => OWN_NAME.test(name));
  return `LIBRARY "${path.basename(dllPath)}"\r\nEXPORTS\r\n${names.map((name) => `  ${name}\r\n`).join('')}`;
}

function exportedNames(bytes) {
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error('not a DLL');
  const nSections = bytes.readUInt16LE(header + 6);
  const optional = header + 24;
  const sections = optional + bytes.readUInt16LE(header + 20);
  const directories = optional + (bytes.readUInt16LE(optional) === 0x20b ? 112 : 96); // PE32+ or PE32
  const offsetOf = (address) => {
    for (let at = sections; at < sections + nSections * 40; at += 40) {
      const start = bytes.readUInt32LE(at + 12);
      if (address >= start && address < start + bytes.readUInt32LE(at + 8))
        return address - start + bytes.readUInt32LE(at + 20);
    }
    throw new Error(`address ${address} is in no section`);
  };
  const table = offsetOf(bytes.readUInt32LE(directories));
  const names = offsetOf(bytes.readUInt32LE(table + 32));
  return Array.from({ length: bytes.readUInt32LE(table + 24) }, (_, i) => {
    const start = offsetOf(bytes.readUInt32LE(names + i * 4));
    return bytes.toString('latin1', start, bytes.indexOf(0, start));
  });
}
