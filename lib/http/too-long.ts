/** A bound in words. */
export function megabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Concatenates all pieces. @throws {TooLongError} for more than `maxBytes` */
export async function readWhole(
	pieces: AsyncIterable<Uint8Array>,
	maxBytes = Infinity,
): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let size = 0;
	for await (const piece of pieces) {
		size += piece.byteLength;
		if (size > maxBytes) throw new TooLongError(maxBytes);
		read.push(piece);
	}
	return Buffer.concat(read);
}

/** A body with more bytes than is read of it. */
export class TooLongError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${megabytes(maxBytes)}`);
		this.name = 'TooLongError';
	}
}
