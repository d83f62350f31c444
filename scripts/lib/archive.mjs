/** Reading the two archive formats that package registries serve, as far as they use them. */
import zlib from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/**
 * One file out of a ZIP archive (a Python wheel is one).
 *
 * @param {Buffer} zip
 * @param {(name: string) => boolean} wanted
 * @returns {{ name: string, content: Buffer }}
 */
export const readZipEntry = (zip, wanted) => {
	// The directory stands at the end; behind it only its own end record with a comment of at most 64 KB.
	let end = zip.length - 22;
	while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
	if (end < 0) throw new Error('Not a ZIP archive, or one that was cut off');
	let at = zip.readUInt32LE(end + 16);
	if (at === 0xffffffff) throw new Error('ZIP64 archives are not supported');
	for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
		if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error('The directory of the ZIP archive is damaged');
		const method = zip.readUInt16LE(at + 10);
		const crc = zip.readUInt32LE(at + 16);
		const packedSize = zip.readUInt32LE(at + 20);
		const nameLength = zip.readUInt16LE(at + 28);
		const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
		const header = zip.readUInt32LE(at + 42);
		at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
		if (!wanted(name)) continue;
		if (zip.readUInt32LE(header) !== LOCAL_HEADER) throw new Error(`${name} is not where the ZIP directory says`);
		// Name and extra field may be longer here than in the directory.
		const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
		const packed = zip.subarray(start, start + packedSize);
		if (method !== STORED && method !== DEFLATED)
			throw new Error(`${name} is packed with the unknown method ${method}`);
		const content = method === STORED ? packed : zlib.inflateRawSync(packed);
		// Node has crc32 since 20.15.
		if (typeof zlib.crc32 === 'function' && zlib.crc32(content) !== crc)
			throw new Error(`${name} is damaged: its checksum is wrong`);
		return { name, content };
	}
	throw new Error('The ZIP archive does not hold the file');
};

/**
 * One file out of a gzipped tar archive (an npm package is one).
 *
 * @param {Buffer} tgz
 * @param {string} wanted path inside the archive
 * @returns {Buffer}
 */
export const readTarGzEntry = (tgz, wanted) => {
	const tar = zlib.gunzipSync(tgz);
	/**
	 * @param {number} at
	 * @param {number} length
	 */
	const text = (at, length) => tar.toString('utf8', at, at + length).replace(/\0.*$/s, '');
	let longName = '';
	for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
		const size = parseInt(text(at + 124, 12).trim() || '0', 8);
		const type = String.fromCharCode(tar[at + 156] ?? 0);
		const prefix = text(at + 345, 155);
		const name = longName || (prefix ? `${prefix}/` : '') + text(at, 100);
		const content = tar.subarray(at + 512, at + 512 + size);
		longName = '';
		// Names over 100 bytes come in a record of their own before the file: pax (x) or GNU (L).
		if (type === 'x') longName = /\d+ path=([^\n]+)\n/.exec(content.toString('utf8'))?.[1] ?? '';
		else if (type === 'L') longName = content.toString('utf8').replace(/\0.*$/s, '');
		else if (name === wanted) return content;
		at += 512 + Math.ceil(size / 512) * 512;
	}
	throw new Error(`The archive does not hold ${wanted}`);
};
