import { buffer, zlib } from '../../support/node';

/** A file in a ZIP. */
export interface ZipEntry {
	name: string;
	content: Uint8Array;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Names are UTF-8. */
const UTF8 = 0x0800;
const NAME_AT = { [LOCAL]: 30, [CENTRAL]: 46 };
/** 1 January 1980, as Dify writes it. */
const FIRST_DAY = 0x21;

/** Header of an entry: central ones have more fields than local ones. */
function head(
	kind: typeof LOCAL | typeof CENTRAL,
	{ name, content }: ZipEntry,
	packed: Buffer,
	at = 0,
): Buffer {
	const bytes = buffer.Buffer.from(name);
	const out = buffer.Buffer.alloc(NAME_AT[kind]);
	out.writeUInt32LE(kind, 0);
	// Both have the common fields at the same offset from here.
	const common = kind === LOCAL ? 4 : 6;
	if (kind === CENTRAL) out.writeUInt16LE(20, 4);
	out.writeUInt16LE(20, common);
	out.writeUInt16LE(UTF8, common + 2);
	out.writeUInt16LE(8, common + 4);
	out.writeUInt16LE(FIRST_DAY, common + 8);
	out.writeUInt32LE(zlib.crc32(content), common + 10);
	out.writeUInt32LE(packed.length, common + 14);
	out.writeUInt32LE(content.length, common + 18);
	out.writeUInt16LE(bytes.length, common + 22);
	if (kind === CENTRAL) out.writeUInt32LE(at, 42);
	return buffer.Buffer.concat([out, bytes]);
}

/** A ZIP as Python writes it; names are unchanged. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
	const files: Buffer[] = [];
	const directory: Buffer[] = [];
	let at = 0;
	for (const entry of entries) {
		const packed = zlib.deflateRawSync(entry.content);
		const file = buffer.Buffer.concat([head(LOCAL, entry, packed), packed]);
		directory.push(head(CENTRAL, entry, packed, at));
		files.push(file);
		at += file.length;
	}
	const end = buffer.Buffer.alloc(22);
	end.writeUInt32LE(END, 0);
	end.writeUInt16LE(entries.length, 8);
	end.writeUInt16LE(entries.length, 10);
	end.writeUInt32LE(buffer.Buffer.concat(directory).length, 12);
	end.writeUInt32LE(at, 16);
	return buffer.Buffer.concat([...files, ...directory, end]);
}

/** The files of such a ZIP, from its central directory. */
export function unzipped(zip: Buffer): ZipEntry[] {
	const end = zip.lastIndexOf(buffer.Buffer.from([0x50, 0x4b, 5, 6]));
	if (end < 0) throw new Error('No ZIP');
	const entries: ZipEntry[] = [];
	let at = zip.readUInt32LE(end + 16);
	for (let count = zip.readUInt16LE(end + 10); count > 0; count--) {
		const nameLength = zip.readUInt16LE(at + 28);
		const begin = zip.readUInt32LE(at + 42);
		const dataAt = begin + 30 + zip.readUInt16LE(begin + 26) + zip.readUInt16LE(begin + 28);
		const packed = zip.subarray(dataAt, dataAt + zip.readUInt32LE(at + 20));
		const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
		entries.push({ name, content: zlib.inflateRawSync(packed) });
		at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
	}
	return entries;
}
