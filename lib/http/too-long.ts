/**
 * Maximum characters of one event, line or JSON value: enough for a picture, and far too little to fill n8n's memory.
 */
export const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

/** A body that is longer than anything a server would send. */
export class BodyTooLongError extends Error {
	constructor(tooMany = 'characters without the end of an event') {
		super(`too many ${tooMany}`);
		this.name = 'BodyTooLongError';
	}
}

/** A file that is larger than the caller reads. */
export class FileTooLargeError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${maxBytes} bytes`);
		this.name = 'FileTooLargeError';
	}
}

/** Concatenates all pieces. @throws {BodyTooLongError} for more than `maxBytes` */
export async function readWhole(
	pieces: AsyncIterable<Uint8Array>,
	maxBytes = Infinity,
): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let size = 0;
	for await (const piece of pieces) {
		size += piece.byteLength;
		if (size > maxBytes) throw new BodyTooLongError();
		read.push(piece);
	}
	return Buffer.concat(read);
}
