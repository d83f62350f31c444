/** Bytes of "RIFF", the size, and "WAVE". */
const RIFF_HEADER = 12;
/** Bytes of a chunk's name and size. */
const CHUNK_HEADER = 8;

interface Wave {
	format: Buffer;
	samples: Buffer;
	end: number;
}

/**
 * Joins concatenated WAV files into one: Dify has each sentence spoken separately, each may have its own header, and
 * players stop after the first. Sound of mixed formats, or that cannot be read, is returned unchanged.
 */
export function joinWaves(sound: Buffer): Buffer {
	const first = readWave(sound, 0);
	if (first === undefined || first.end >= sound.length) return sound;
	const waves = [first];
	for (let at = first.end; at < sound.length; ) {
		const next = readWave(sound, at);
		if (next === undefined || !next.format.equals(first.format)) return sound;
		waves.push(next);
		at = next.end;
	}
	return waveFile(first.format, Buffer.concat(waves.map((wave) => wave.samples)));
}

/** One channel of 16 bits. */
const FRAME_BYTES = 2;

/**
 * A WAV file of raw samples: one channel, 16 bits, little-endian.
 *
 * @param rate samples per second
 */
export function waveFromSamples(samples: Buffer, rate: number): Buffer {
	const format = Buffer.alloc(16);
	format.writeUInt16LE(1, 0);
	format.writeUInt16LE(1, 2);
	format.writeUInt32LE(rate, 4);
	format.writeUInt32LE(rate * FRAME_BYTES, 8);
	format.writeUInt16LE(FRAME_BYTES, 12);
	format.writeUInt16LE(8 * FRAME_BYTES, 14);
	const wholeFrames = samples.subarray(0, samples.length - (samples.length % FRAME_BYTES));
	return waveFile(format, wholeFrames);
}

function waveFile(format: Buffer, samples: Buffer): Buffer {
	const data = Buffer.concat([samples, Buffer.alloc(samples.length % 2)]);
	const content = Buffer.concat([
		chunkHeader('fmt ', format.length),
		format,
		chunkHeader('data', samples.length),
		data,
	]);
	return Buffer.concat([
		chunkHeader('RIFF', content.length + 4),
		Buffer.from('WAVE', 'latin1'),
		content,
	]);
}

function chunkHeader(name: string, length: number): Buffer {
	const header = Buffer.alloc(CHUNK_HEADER);
	header.write(name, 'latin1');
	header.writeUInt32LE(length, 4);
	return header;
}

/** Reads the file that begins at `from`. */
function readWave(sound: Buffer, from: number): Wave | undefined {
	if (!isWave(sound, from)) return undefined;
	let format: Buffer | undefined;
	for (let at = from + RIFF_HEADER; at + CHUNK_HEADER <= sound.length; ) {
		const name = sound.toString('latin1', at, at + 4);
		const size = sound.readUInt32LE(at + 4);
		const begin = at + CHUNK_HEADER;
		if (name === 'data') return format && { format, ...samplesAt(sound, begin, size) };
		if (begin + size > sound.length) return undefined;
		if (name === 'fmt ') format = sound.subarray(begin, begin + size);
		at = begin + size + (size % 2);
	}
	return undefined;
}

/** Streamed speech does not know its length, and gives 0 or too much. */
function samplesAt(sound: Buffer, begin: number, size: number): Omit<Wave, 'format'> {
	const isKnown = size > 0 && begin + size <= sound.length;
	const end = isKnown ? begin + size : nextWave(sound, begin);
	// A chunk of odd length is padded with a zero.
	const isPadded = isKnown && size % 2 === 1 && sound[end] === 0;
	return { samples: sound.subarray(begin, end), end: isPadded ? end + 1 : end };
}

function nextWave(sound: Buffer, from: number): number {
	for (
		let at = sound.indexOf('RIFF', from, 'latin1');
		at >= 0;
		at = sound.indexOf('RIFF', at + 1, 'latin1')
	)
		if (isWave(sound, at)) return at;
	return sound.length;
}

function isWave(sound: Buffer, at: number): boolean {
	return (
		at + RIFF_HEADER <= sound.length &&
		sound.toString('latin1', at, at + 4) === 'RIFF' &&
		sound.toString('latin1', at + 8, at + RIFF_HEADER) === 'WAVE'
	);
}
