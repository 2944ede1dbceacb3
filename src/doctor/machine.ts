import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import { usableCores } from '../runtime/threads.js';
import type { Finding } from './finding.js';

/** Least memory a run of the bundled model and a photo of 50 megapixels takes, with room to spare. */
const LEAST_FREE_BYTES = 1024 ** 3;

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isRecent = major > 20 || (major === 20 && minor >= 19);
  return {
    check: 'node',
    status: isRecent ? 'ok' : 'problem',
    summary: `Node.js ${version}`,
    ...(isRecent ? {} : { remedies: ['install Node.js 20.19 or later: https://nodejs.org/en/download'] }),
  };
}

export function checkSystem(): Finding {
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  const libc = process.platform !== 'linux' ? [] : glibcVersionRuntime ? [`glibc ${glibcVersionRuntime}`] : ['musl'];
  return {
    check: 'system',
    status: 'ok',
    summary: [`${process.platform} ${process.arch}`, ...libc, `${usableCores()} usable CPU cores`].join(', '),
  };
}

export function checkMemory(freeBytes = process.availableMemory(), totalBytes = memoryLimit()): Finding {
  const isLow = freeBytes < LEAST_FREE_BYTES;
  return {
    check: 'memory',
    status: isLow ? 'warning' : 'ok',
    summary: `${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} memory available`,
    ...(isLow ? { remedies: ['end other programs, or raise the memory limit of the container'] } : {}),
  };
}

/** A container's limit where there is one: the kernel reports none as an absurdly high one. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

export function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

export type GpuVendor = 'NVIDIA' | 'AMD' | 'Intel' | 'other';

const PCI_VENDORS: Readonly<Record<string, GpuVendor>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

/**
 * Makers of the graphics adapters on the PCI bus, whether or not a driver runs them; undefined where the system does not
 * tell (other systems than Linux, WSL).
 * @see https://docs.kernel.org/PCI/sysfs-pci.html; class 0x03 is "display controller"
 */
export function graphicsAdapters(root = ''): GpuVendor[] | undefined {
  const folder = path.join(root, '/sys/bus/pci/devices');
  if (existsSync(path.join(root, '/dev/dxg'))) return undefined;
  try {
    return readdirSync(folder).flatMap((device) => {
      const read = (name: string): string => readFileSync(path.join(folder, device, name), 'utf8').trim();
      return read('class').startsWith('0x03') ? [PCI_VENDORS[read('vendor')] ?? 'other'] : [];
    });
  } catch {
    return undefined;
  }
}
